import { bytes, optional, struct, uint } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** An envelope that was decrypted and committed: another copy of it is acknowledged and nothing else. */
const envelope = struct('known-envelope', {
  envelopeId: [0, bytes(16)],
  contactId: [1, bytes(32)],
  /** The day it came, counted from 1970, for forgetting it. */
  day: [2, uint()],
  /** The message it brought, if it was one. */
  messageId: [3, optional(bytes(16))],
  conversationId: [4, optional(bytes(16))],
  /** When its receipt went into an envelope, in rows of earlier builds; nobody reads it any more. */
  receiptAtMs: [5, optional(uint())],
})
export type EnvelopeRow = ReturnType<typeof envelope.decode>

export const envelopeTable: Table<EnvelopeRow> = {
  name: 'envelopes',
  codec: envelope,
  key: (row) => [row.envelopeId],
  index: (row) => envelopeDay(row.day),
}

/** Index value of a day. */
export const envelopeDay = (day: number): Uint8Array => {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, day)
  return out
}
