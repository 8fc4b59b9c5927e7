import { struct, uint } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** How often the lead has changed hands; one row, under key 0. The newest leader is whoever wrote it last. */
const leadership = struct('leadership', { term: [0, uint()] })
export type LeadershipRow = ReturnType<typeof leadership.decode>

export const leadershipTable: Table<LeadershipRow> = {
  name: 'leadership',
  codec: leadership,
  key: () => [0],
  beforeAccount: true,
}
