import { envelopeId } from '../../protocol/envelope/envelope.ts'
import { fromBodyFrame } from '../../protocol/content/body.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import type { AccountRow } from '../store/records/account.ts'
import { ownChangeTable } from '../store/records/change.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { messageIndex, messageTable } from '../store/records/message.ts'
import { outboxTable, type OutboxRow } from '../store/records/outbox.ts'
import type { Core } from './core.ts'
import { advance, sealAnew } from './delivery.ts'
import { stageOf } from './delivery-state.ts'
import type { Effects } from './effects.ts'
import { readAccount } from './identity.ts'
import { encryptFor, textBody, type Saying } from './sessions.ts'

/** A change of ours, as it was said first. */
const changeOf = async (
  tx: WriteTransaction,
  contactId: Uint8Array,
  messageId: Uint8Array,
): Promise<Saying | undefined> => {
  const change = await tx.get(ownChangeTable, [contactId, messageId])
  return change && { messageId, sentAtMs: change.sentAtMs, sequence: 0, body: fromBodyFrame(change) }
}

/** What an outbox row says; undefined when its message is not there any more. */
const sayingOf = async (tx: WriteTransaction, core: Core, row: OutboxRow): Promise<Saying | undefined> => {
  if (!row.messageId) {
    return { messageId: core.random(16), sentAtMs: core.now(), sequence: 0, body: { kind: 'profile' }, announce: true }
  }
  const message = await tx.find(messageTable, messageIndex(row.conversationId, true, row.messageId))
  if (!message) return changeOf(tx, row.contactId, row.messageId)
  if (message.text === undefined) return undefined
  const { messageId, sentAtMs, sequence, text, replyTo } = message
  return { messageId, sentAtMs, sequence, body: textBody(text, replyTo) }
}

/** Encrypts the row if the event asks for that and it can be done. */
const sealRow = (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contact: ContactRow,
  row: OutboxRow,
  kind: 'session' | 'asked-for' | 'renewed',
  effects: Effects,
): Promise<void> =>
  sealAnew(tx, core, effects, row, kind, async () => {
    const saying = await sayingOf(tx, core, row)
    return saying && encryptFor(tx, core, account, contact, saying, effects)
  })

/** Encrypts, in order, what was written to a contact before there was a session. */
export const encryptWaiting = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contact: ContactRow,
  effects: Effects,
): Promise<void> => {
  for (const row of await tx.list(outboxTable, { prefix: [contact.contactId] })) {
    await sealRow(tx, core, account, contact, row, 'session', effects)
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
  (await tx.list(outboxTable, { prefix: [contactId] })).filter((row) => row.messageId && stageOf(row) !== 'unsealed')

/**
 * 50 of a gap at a time: the receipts for them bring the next ones.
 */
const maxGapRows = 50

/**
 * A message has arrived: what was taken before it and has not is a gap, and is offered again at once instead of when its
 * pause is over.
 */
export const offerGaps = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  contactId: Uint8Array,
  arrived: number,
): Promise<void> => {
  const earlier = await tx.list(outboxTable, { prefix: [contactId], before: arrived, limit: maxGapRows })
  for (const row of earlier) await advance(tx, core, effects, row, { kind: 'gap' })
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
 * in this transaction. `counted`: a repair, which may renew a message only so often; otherwise its count begins again.
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
    await sealRow(tx, core, account, contact, row, counted ? 'asked-for' : 'renewed', effects)
  }
}
