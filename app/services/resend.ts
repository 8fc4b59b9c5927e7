import { envelopeId } from '../../protocol/envelope/envelope.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import { dayMs } from '../../protocol/wire/limits.ts'
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
 * 3 times, and once more for every day since: two losses in a row are bad luck, a contact that asks for ever must not make this
 * device encrypt, and a relay store, for ever; and no message may stay lost because a relay once made up too many losses.
 */
const maxRenewals = 3

/** Renewals as they count now. */
const renewalsNow = ({ renewals = 0, renewedAtMs }: OutboxRow, now: number): number =>
  renewedAtMs === undefined ? renewals : Math.max(0, renewals - Math.max(0, Math.floor((now - renewedAtMs) / dayMs)))

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

/**
 * 50 of a gap at a time: the receipts for them bring the next ones.
 */
const maxGapRows = 50

/**
 * A message has arrived: what was taken before it and has not is a gap, and is offered again at once instead of when its
 * pause is over. Only what is older than a moment, since two ways may overtake each other, and each three times at most:
 * after that the pauses take over, and the contact's own asking.
 */
export const offerGaps = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  contactId: Uint8Array,
  arrived: number,
): Promise<void> => {
  const now = core.now()
  const earlier = await tx.list(outboxTable, { prefix: [contactId], before: arrived, limit: maxGapRows })
  for (const row of earlier) {
    const isOld = now - row.createdAtMs > core.pace.overtakeMs && row.dueAtMs > now + core.pace.overtakeMs
    if (!row.sent || !row.messageId || row.offers > 3 || !isOld) continue
    tx.put(outboxTable, { ...row, dueAtMs: now + core.pace.overtakeMs })
    noteOutbox(effects, contactId, row.number)
  }
}

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
 * in this transaction. `counted`: each message at most 3 times, and once a day; otherwise its count begins again.
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
    const now = core.now()
    const renewals = counted ? renewalsNow(row, now) + 1 : 0
    if (renewals > maxRenewals) continue
    await encryptRow(tx, core, account, contact, { ...row, renewals, renewedAtMs: now }, effects)
  }
}
