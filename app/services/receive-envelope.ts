import { envelopeId } from '../../protocol/envelope/envelope.ts'
import type { Content } from '../../protocol/content/content.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import { dayMs } from '../../protocol/wire/limits.ts'
import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import type { ReceivedEnvelope } from '../../signaling/network.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import type { AccountRow } from '../store/records/account.ts'
import { ownChangeTable } from '../store/records/change.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { envelopeTable, type EnvelopeRow } from '../store/records/envelope.ts'
import { handshakeTable } from '../store/records/handshake.ts'
import { inviteTable } from '../store/records/invite.ts'
import { messageIndex, messageTable } from '../store/records/message.ts'
import { prekeyKey, prekeyTable } from '../store/records/prekey.ts'
import { isChange } from '../../protocol/content/body.ts'
import { answerAbove, answerRepair } from './answer-repair.ts'
import { withKnownLog } from './contact-logs.ts'
import { applyAnnouncements, newContact } from './contacts.ts'
import { addReceivedMessage, measureClock, newConversation, putConversation } from './conversations.ts'
import type { Core } from './core.ts'
import { addReceipt } from './delivery.ts'
import { followDevices } from './device-change.ts'
import { writeDiagnostic } from './diagnostics.ts'
import type { Effects } from './effects.ts'
import { readAccount } from './identity.ts'
import { openEnvelope, type Opened } from './open-envelope.ts'
import { originOf, type Origin } from './origin.ts'
import { oweReceipt } from './receipts.ts'
import { applyEarlyChanges, receiveChange } from './receive-change.ts'
import { encryptWaiting, offerGaps } from './resend.ts'
import { withReceiveOnly } from './retired-devices.ts'
import { addSession, dispatchControl, putSession, sendingSession } from './sessions.ts'
import { readSettings } from './settings.ts'
import { noteUnopened } from './unopened.ts'

/** A copy of something committed before: only a lost receipt is a reason to do anything. */
const handleKnown = async (tx: WriteTransaction, core: Core, effects: Effects, known: EnvelopeRow): Promise<void> => {
  const { messageId, conversationId, contactId, envelopeId: id } = known
  if (!messageId || !conversationId) return
  if (core.recentReceipts.has(id)) return
  // What came as a request got no receipt, and gets one only after it was accepted.
  if ((await tx.get(contactTable, [contactId]))?.state !== 'accepted') return
  // Absent: a change has no row of its own, and a message may have been deleted here.
  const message = await tx.find(messageTable, messageIndex(conversationId, false, messageId))
  await oweReceipt(
    tx,
    effects,
    { contactId, messageId, envelopeId: id, read: await mayTellRead(tx, message?.seen ?? false) },
    core.now(),
  )
}

/** Whether a message that was on screen may be receipted as read. */
const mayTellRead = async (tx: WriteTransaction, seen: boolean): Promise<boolean> =>
  seen && (await readSettings(tx)).sendReadReceipts

/** The contact a new session belongs to: known, brought by an invite, or a request. */
const acceptHandshake = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  { session, content, handshake }: Opened & { handshake: NonNullable<Opened['handshake']> },
): Promise<ContactRow> => {
  const { tag, prekeyIds, log, head, devices, invite, toRetired } = handshake
  const contactId = session.remoteAccountId
  if (prekeyIds.oneTime !== undefined) tx.delete(prekeyTable, prekeyKey(prekeyIds.oneTime))
  const kem = await tx.get(prekeyTable, prekeyKey(prekeyIds.kem))
  if (kem?.kind === 'one-time-kem') tx.delete(prekeyTable, prekeyKey(prekeyIds.kem))
  tx.put(handshakeTable, { handshakeTag: tag, signedPrekeyId: prekeyIds.signed })
  effects.chores.add('prekeys')
  const mine = invite && (!invite.usedBy || equalBytes(invite.usedBy, contactId))
  if (mine) tx.put(inviteTable, { ...invite, usedBy: contactId })
  const stored = await tx.get(contactTable, [contactId])
  const state: ContactRow['state'] = mine || stored?.state === 'accepted' ? 'accepted' : 'request'
  const { conversationId } = content
  const conversation =
    (await tx.get(conversationTable, [conversationId])) ?? newConversation(conversationId, contactId, core.now(), true)
  putConversation(tx, effects, { ...conversation, hidden: state === 'request' })
  const known = { state, log, head, devices: [...devices] }
  const contact = stored
    ? await followDevices(tx, core, effects, stored, withKnownLog({ ...stored, state }, { log, head, devices }))
    : newContact(contactId, conversationId, { ...known, mailboxes: [], inviteLanes: false }, core.now())
  return toRetired ? withReceiveOnly(contact, [session.sessionId]) : contact
}

/** The contact has this change of ours. The number of its outbox row, if it was one and had not been receipted. */
const settleChange = async (
  tx: WriteTransaction,
  contactId: Uint8Array,
  messageId: Uint8Array,
): Promise<number | undefined> => {
  const change = await tx.get(ownChangeTable, [contactId, messageId])
  if (change) tx.delete(ownChangeTable, [contactId, messageId])
  return change?.outboxNumber
}

/** Receipts count only for messages of this device in the conversation with their sender. */
const applyReceipt = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  { contactId, conversationId }: ContactRow,
  ids: readonly Uint8Array[],
  status: 'delivered' | 'read',
): Promise<void> => {
  let newest = 0
  await Promise.all(ids.map((messageId) => tx.find(messageTable, messageIndex(conversationId, true, messageId))))
  for (const messageId of ids) {
    const before = await tx.find(messageTable, messageIndex(conversationId, true, messageId))
    const number = before ? before.outboxNumber : await settleChange(tx, contactId, messageId)
    newest = Math.max(newest, number ?? 0)
    await addReceipt(tx, core, effects, { contactId, conversationId, messageId, number }, status)
  }
  await offerGaps(tx, core, effects, contactId, newest)
}

/** Stop 6: message, session and everything that follows from them. Returns the message's id if it is one. */
const acceptContent = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  contact: ContactRow,
  { content, session }: Opened,
  id: Uint8Array,
): Promise<Uint8Array | undefined> => {
  const { body, sequence, messageId } = content
  if (body.kind === 'receipt') {
    await applyReceipt(tx, core, effects, contact, body.delivered, 'delivered')
    await applyReceipt(tx, core, effects, contact, body.read, 'read')
    return undefined
  }
  if (body.kind === 'repair') await answerRepair(tx, core, effects, contact.contactId, session, body.envelopeIds)
  if (sequence === 0 && !isChange(body)) return undefined
  const conversation = await tx.get(conversationTable, [contact.conversationId])
  if (!conversation) return undefined
  if (isChange(body)) await receiveChange(tx, core, effects, conversation.conversationId, body, content.sentAtMs)
  else {
    const received = { content, envelopeId: id, now: core.now(), clockOffsetMs: contact.clockOffsetMs ?? 0 }
    const row = await addReceivedMessage(tx, effects, conversation, received)
    if (row) await applyEarlyChanges(tx, effects, row)
  }
  const owed = { contactId: contact.contactId, messageId, envelopeId: id, read: false }
  if (contact.state === 'accepted') await oweReceipt(tx, effects, owed, core.now())
  effects.quiet.add(toHex(contact.contactId))
  return messageId
}

/**
 * Whoever tells new mailboxes, or tells their lanes through an invite of ours although we know each other, may have lost what
 * we told before: it is told again. Only news is answered, so two who have both moved say it once each.
 */
const answerMove = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  account: AccountRow,
  contact: ContactRow,
  { content, origin, moved }: { content: Content; origin: Origin; moved: boolean },
): Promise<void> => {
  const { inviteSecret } = origin
  const asks = inviteSecret !== undefined && content.body.kind === 'lanes'
  if (!moved && !asks) return
  const invite = inviteSecret && (await tx.get(inviteTable, [inviteSecret]))
  if (invite && !invite.usedBy) tx.put(inviteTable, { ...invite, usedBy: contact.contactId })
  await dispatchControl(tx, core, account, contact, { kind: 'lanes' }, effects)
}

const accept = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  account: AccountRow,
  opened: Opened,
  { id, origin }: { id: Uint8Array; origin: Origin },
): Promise<void> => {
  const now = core.now()
  const { session, content, handshake } = opened
  const known = handshake
    ? await acceptHandshake(tx, core, effects, { ...opened, handshake })
    : await tx.get(contactTable, [session.remoteAccountId])
  if (!known) throw new ProtocolError('foreign', 'the session belongs to nobody known')
  const before = handshake && (await sendingSession(tx, known, now))
  if (handshake) await addSession(tx, session, now)
  else putSession(tx, session, now)
  // The contact has answered: no opening, and so no proof of the invite, will ever be needed again.
  const { inviteSecret: _, ...proven } = known
  const base = session.confirmed ? proven : known
  const heard = { ...base, heardAtMs: now }
  const measured = content.sequence > 0 ? measureClock(heard, content.sentAtMs, now) : heard
  tx.put(contactTable, measured)
  const { contact: announced, moved } = await applyAnnouncements(tx, core, effects, measured, content)
  tx.put(contactTable, announced)
  const messageId = await acceptContent(tx, core, effects, announced, opened, id)
  // An answer to an asking may have taken numbers of the outbox.
  const contact = (await tx.get(contactTable, [announced.contactId])) ?? announced
  tx.put(envelopeTable, {
    envelopeId: id,
    contactId: contact.contactId,
    day: Math.floor(now / dayMs),
    ...(messageId ? { messageId, conversationId: contact.conversationId } : {}),
  })
  if (contact.state !== 'accepted') return
  if (!handshake) return answerMove(tx, core, effects, account, contact, { content, origin, moved })
  if (await answerAbove(tx, effects, contact, { before, fresh: session })) return
  await encryptWaiting(tx, core, account, contact, effects)
  // The first answer, at once: our name and lanes, and the proof that the session stands.
  await dispatchControl(tx, core, account, contact, { kind: 'profile' }, effects)
}

/** One envelope within a step. True: nothing more is wanted of it. */
const receiveOne = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  received: ReceivedEnvelope,
  linkContact: Uint8Array | undefined,
): Promise<boolean> => {
  const account = await readAccount(tx)
  if (!account) return false
  const id = envelopeId(received.envelope, core.crypto)
  const known = await tx.get(envelopeTable, [id])
  if (known) {
    await handleKnown(tx, core, effects, known)
    return true
  }
  const origin = await originOf(tx, received, linkContact)
  let opened: Opened
  try {
    opened = await openEnvelope(tx, core, account, received.envelope, origin.contactId)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    // Repeating will not make it readable: it is written down and let go, and no session has changed.
    await writeDiagnostic(tx, core, 'envelope', cause.code, cause.message)
    await noteUnopened(tx, core, effects, { id, envelope: received.envelope, origin, code: cause.code })
    return true
  }
  await accept(tx, core, effects, account, opened, { id, origin })
  return true
}

export interface ReceiveEnvelopes {
  /** One answer per envelope, given after the commit: true when it may be acknowledged. */
  receive(envelopes: readonly ReceivedEnvelope[], linkContact?: Uint8Array): Promise<boolean[]>
}

/** Stops 6 to 8 of a message's way, at most 50 envelopes per transaction. */
export const createReceiveEnvelopes = (core: Core): ReceiveEnvelopes => {
  const step = (envelopes: readonly ReceivedEnvelope[], linkContact: Uint8Array | undefined): Promise<boolean[]> =>
    core.commit(async (tx, effects) => {
      // Asked for together, the database answers them in one go.
      await Promise.all(envelopes.map(({ envelope }) => tx.get(envelopeTable, [envelopeId(envelope, core.crypto)])))
      const answers: boolean[] = []
      for (const envelope of envelopes) answers.push(await receiveOne(tx, core, effects, envelope, linkContact))
      return answers
    })

  return {
    receive: async (envelopes, linkContact) => {
      try {
        return await step(envelopes, linkContact)
      } catch (cause) {
        core.report(cause)
        if (envelopes.length === 1) return [false]
      }
      // One of them broke the step: each by itself, so that it cannot hold up the others.
      const answers: boolean[] = []
      for (const envelope of envelopes) {
        answers.push(
          await step([envelope], linkContact).then(
            ([answer]) => answer === true,
            () => false,
          ),
        )
      }
      return answers
    },
  }
}
