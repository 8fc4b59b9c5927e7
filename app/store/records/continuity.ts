import { struct, uint } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** How far this device has come, as its relays know too (`services/continuity.ts`); one row, under key 0. */
const continuity = struct('continuity', { counter: [0, uint()] })
export type ContinuityRow = ReturnType<typeof continuity.decode>

export const continuityTable: Table<ContinuityRow> = { name: 'continuity', codec: continuity, key: () => [0] }
