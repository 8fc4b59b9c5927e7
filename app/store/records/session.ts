import { bytes, bytesUpTo, struct, uint } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** 1 MiB: 2,000 skipped message keys with their headers and stored KEM fields stay under it. */
const maxSessionBytes = 1_048_576

const session = struct('session-row', {
  contactId: [0, bytes(32)],
  sessionId: [1, bytes(16)],
  handshakeTag: [2, bytes(32)],
  /** `encodeSession`. */
  state: [3, bytesUpTo(maxSessionBytes)],
  /** When it last moved: sessions that rest longer than a message can wait are let go. */
  usedAtMs: [4, uint()],
})
export type SessionRow = ReturnType<typeof session.decode>

export const sessionTable: Table<SessionRow> = {
  name: 'sessions',
  codec: session,
  key: (row) => [row.contactId, row.sessionId],
  index: (row) => row.handshakeTag,
}
