import { decodeSession, encodeSession, type Session } from '../../../protocol/session/session.ts'
import { bytes, bytesUpTo, struct, uint, type Field } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** 1 MiB: 2,000 skipped message keys with their headers and stored KEM fields stay under it. */
const maxSessionBytes = 1_048_576

const encoded = bytesUpTo(maxSessionBytes)

/** Encoded when the transaction ends: a batch that moves a session fifty times writes it once. */
const state: Field<Session> = {
  write: (session, path) => encoded.write(encodeSession(session), path),
  read: (value, path) => decodeSession(encoded.read(value, path)),
}

const session = struct('session-row', {
  contactId: [0, bytes(32)],
  sessionId: [1, bytes(16)],
  handshakeTag: [2, bytes(32)],
  state: [3, state],
  /** When it last moved: sessions that rest longer than a message can wait are let go. */
  usedAtMs: [4, uint()],
})
export type SessionRow = ReturnType<typeof session.decode>

export const sessionTable: Table<SessionRow> = {
  name: 'sessions',
  codec: session,
  key: (row) => [row.contactId, row.sessionId],
  index: (row) => row.handshakeTag,
  // A session that cannot be read is a session lost, and those are repaired.
  renewable: true,
}
