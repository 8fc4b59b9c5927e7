import { boolean, bytes, optional, struct, uint } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** A receipt that is owed: written with the message it is for, gone in the transaction that puts it into an envelope. */
const receipt = struct('receipt', {
  contactId: [0, bytes(32)],
  messageId: [1, bytes(16)],
  envelopeId: [2, optional(bytes(16))],
  /** Says read, which includes delivered. */
  read: [3, boolean],
  createdAtMs: [4, uint()],
})
export type ReceiptRow = ReturnType<typeof receipt.decode>

export const receiptTable: Table<ReceiptRow> = {
  name: 'receipts',
  codec: receipt,
  key: (row) => [row.contactId, row.messageId],
}
