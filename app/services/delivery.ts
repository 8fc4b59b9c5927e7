import type { WriteTransaction } from '../store/client-store.ts'
import { outboxTable, type OutboxRow } from '../store/records/outbox.ts'
import { raiseStatus } from './conversations.ts'
import type { Core } from './core.ts'
import {
  deliver,
  receiptStep,
  unsealedRow,
  type Consequence,
  type DeliveryEvent,
  type ReceiptStatus,
} from './delivery-state.ts'
import { writeDiagnostic } from './diagnostics.ts'
import { noteGone, noteOutbox, type Effects } from './effects.ts'

/** Does what `delivery-state.ts` decides: no other file writes or removes an outbox row. */

/** When a row is offered again: Unix milliseconds, or as soon as the contact's pause after failures is over. */
export type NextOffer = number | 'after-pause'

/** Whose row it is, and which message its envelope has; `number` absent: the row went long ago. */
interface Subject extends Pick<OutboxRow, 'contactId' | 'conversationId' | 'messageId'> {
  readonly number?: number | undefined
}

const follow = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  { contactId, conversationId, messageId, number }: Subject,
  follows: readonly Consequence[],
): Promise<NextOffer | undefined> => {
  let next: NextOffer | undefined
  for (const one of follows) {
    if (one.kind === 'due') next = one.atMs
    else if (one.kind === 'retry') next = 'after-pause'
    else if (one.kind === 'diagnose') await writeDiagnostic(tx, core, 'relay', 'refused', 'a relay refused an envelope')
    else if (one.kind === 'raise' && messageId) {
      await raiseStatus(tx, effects, { conversationId, messageId, status: one.status })
    } else if (one.kind === 'offer' && number !== undefined) noteOutbox(effects, contactId, number)
    else if (one.kind === 'forget' && number !== undefined) noteGone(effects, contactId, number)
  }
  return next
}

/** Something has happened to a row as it is stored. The answer is for whoever offers it: when it does so again. */
export const advance = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  row: OutboxRow,
  event: Exclude<DeliveryEvent, { readonly kind: 'session' | 'asked-for' | 'renewed' }>,
): Promise<NextOffer | undefined> => {
  const { row: next, follows } = deliver(row, event, core)
  if (!next) tx.delete(outboxTable, [row.contactId, row.number])
  else if (next !== row) tx.put(outboxTable, next)
  return follow(tx, core, effects, row, follows)
}

/**
 * Encrypts a row if the event asks for that, by `seal`, which gives nothing while it cannot; then nothing changes, and no
 * renewal is counted.
 */
export const sealAnew = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  row: OutboxRow,
  kind: 'session' | 'asked-for' | 'renewed',
  seal: () => Promise<Uint8Array | undefined>,
): Promise<void> => {
  const { row: asked, follows } = deliver(row, { kind }, core)
  if (!asked || !follows.some((one) => one.kind === 'seal')) return
  const envelope = await seal()
  if (envelope) await advance(tx, core, effects, asked, { kind: 'sealed', envelope })
}

/** What has just been written, with its bytes if there is a session. */
export const addOutgoing = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  written: Parameters<typeof unsealedRow>[0],
  envelope: Uint8Array | undefined,
): Promise<void> => {
  const row = unsealedRow(written)
  if (envelope) await advance(tx, core, effects, row, { kind: 'sealed', envelope })
  else tx.put(outboxTable, row)
}

/** The contact has this message of ours, and says so, perhaps not for the first time. */
export const addReceipt = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  message: Required<Pick<Subject, 'contactId' | 'conversationId' | 'messageId'>> & Subject,
  status: ReceiptStatus,
): Promise<void> => {
  const { contactId, number } = message
  if (number !== undefined) tx.delete(outboxTable, [contactId, number])
  await follow(tx, core, effects, message, receiptStep(status).follows)
}
