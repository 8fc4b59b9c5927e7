import { envelopeId } from '../../protocol/envelope/envelope.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import type { AccountRow } from '../store/records/account.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { messageIndex, messageTable } from '../store/records/message.ts'
import { outboxTable, type OutboxRow } from '../store/records/outbox.ts'
import type { Core } from './core.ts'
import { noteOutbox, type Effects } from './effects.ts'
import { readAccount } from './identity.ts'
import { encryptFor, type Saying } from './sessions.ts'

/**
 * 3 times: two losses in a row are bad luck, and a contact that asks for ever must not make this device encrypt, and a relay
 * store, for ever.
 */
const maxRenewals = 3

/** What an outbox row says; undefined when its message is not there any more. */
const sayingOf = async (tx: WriteTransaction, core: Core, row: OutboxRow): Promise<Saying | undefined> => {
  if (!row.messageId) {
    return { messageId: core.random(16), sentAtMs: core.now(), sequence: 0, body: { kind: 'profile' }, announce: true }
  }
  const message = await tx.find(messageTable, messageIndex(row.conversationId, true, row.messageId))
  if (message?.text === undefined) return undefined
  const { messageId, sentAtMs, sequence, text } = message
  return { messageId, sentAtMs, sequence, body: { kind: 'text', text } }
}

const encryptRow = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contact: ContactRow,
  row: OutboxRow,
  effects: Effects,
): Promise<boolean> => {
  const saying = await sayingOf(tx, core, row)
  const envelope = saying && (await encryptFor(tx, core, account, contact, saying, effects))
  if (!envelope) return false
  tx.put(outboxTable, { ...row, envelope, sent: false, offers: 0, dueAtMs: 0 })
  noteOutbox(effects, contact.contactId, row.number)
  return true
}

/** Encrypts, in order, what was written to a contact before there was a session. */
export const encryptWaiting = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contact: ContactRow,
  effects: Effects,
): Promise<void> => {
  for (const row of await tx.list(outboxTable, { prefix: [contact.contactId] })) {
    if (!row.envelope) await encryptRow(tx, core, account, contact, row, effects)
  }
}

/** Encrypts what waits for every contact that has a session. */
export const encryptAllWaiting = async (tx: WriteTransaction, core: Core, effects: Effects): Promise<void> => {
  const account = await readAccount(tx)
  if (!account || account.unannounced) return
  for (const { contactId, state } of await tx.list(contactTable)) {
    const contact = await tx.get(contactTable, [contactId])
    if (contact && state === 'accepted') await encryptWaiting(tx, core, account, contact, effects)
  }
}

/** Messages of which no receipt has come, whose envelopes are on their way, in sending order. */
export const undelivered = async (tx: WriteTransaction, contactId: Uint8Array): Promise<OutboxRow[]> =>
  (await tx.list(outboxTable, { prefix: [contactId] })).filter((row) => row.messageId && row.envelope)

/** The outbox rows whose envelopes have these ids, in sending order. Whatever is delivered has no row any more. */
export const rowsOf = async (
  tx: WriteTransaction,
  core: Core,
  contactId: Uint8Array,
  envelopeIds: readonly Uint8Array[],
): Promise<OutboxRow[]> => {
  const wanted = new Set(envelopeIds.map(toHex))
  const rows = await undelivered(tx, contactId)
  return rows.filter((row) => row.envelope && wanted.has(toHex(envelopeId(row.envelope, core.crypto))))
}

/**
 * Encrypts messages anew on the session to send on, with their ids and sequences: new bytes take the place of the old ones,
 * in this transaction. `counted`: each message at most 3 times; otherwise its count begins again.
 */
export const renew = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contact: ContactRow,
  rows: readonly OutboxRow[],
  counted: boolean,
  effects: Effects,
): Promise<void> => {
  for (const row of rows) {
    const renewals = counted ? (row.renewals ?? 0) + 1 : 0
    if (renewals <= maxRenewals) await encryptRow(tx, core, account, contact, { ...row, renewals }, effects)
  }
}
