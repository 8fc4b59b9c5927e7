import { boolean, bytes, bytesUpTo, optional, struct, uint } from '../../../protocol/wire/codec.ts'
import { maxEnvelopeBytes } from '../../../protocol/wire/limits.ts'
import type { Table } from '../client-store.ts'

/**
 * One envelope on its way. A row with a message stays until the contact's receipt; one without (receipts, profile, lanes)
 * until somebody has it. What becomes of it is decided in `services/delivery-state.ts`.
 */
const outbox = struct('outbox', {
  contactId: [0, bytes(32)],
  /** Ascending per contact, in sending order. */
  number: [1, uint()],
  /**
   * Absent while there is no session yet. A retry sends the very same bytes; others take their place only when the session
   * they belong to is lost (`services/resend.ts`).
   */
  envelope: [2, optional(bytesUpTo(maxEnvelopeBytes))],
  messageId: [3, optional(bytes(16))],
  conversationId: [4, bytes(16)],
  /** A link or mailbox has taken it at least once. */
  sent: [5, boolean],
  /** Times these bytes were taken, or refused, without a receipt following. */
  offers: [6, uint()],
  /** Once sent: when to offer it again. Zero before it was taken or refused. */
  dueAtMs: [7, uint()],
  createdAtMs: [8, uint()],
  /** Times its message was encrypted anew because it was asked for, and when it last was. */
  renewals: [9, optional(uint())],
  renewedAtMs: [10, optional(uint())],
})
export type OutboxRow = ReturnType<typeof outbox.decode>

export const outboxTable: Table<OutboxRow> = {
  name: 'outbox',
  codec: outbox,
  key: (row) => [row.contactId, row.number],
}
