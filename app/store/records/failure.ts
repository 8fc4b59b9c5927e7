import { bytes, optional, struct, uint } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** An envelope from a contact that did not open: written down before it is acknowledged, until it was asked for and after. */
const failure = struct('failed-envelope', {
  contactId: [0, bytes(32)],
  envelopeId: [1, bytes(16)],
  atMs: [2, uint()],
  /** When it was asked for last; absent: not yet. */
  askedAtMs: [3, optional(uint())],
})
export type FailureRow = ReturnType<typeof failure.decode>

export const failureTable: Table<FailureRow> = {
  name: 'failures',
  codec: failure,
  key: (row) => [row.contactId, row.envelopeId],
}
