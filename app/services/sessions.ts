import { encodeContent, type Content } from '../../protocol/content/content.ts'
import { isChange, type ContentBody } from '../../protocol/content/body.ts'
import { inviteProof } from '../../protocol/envelope/invite.ts'
import { encryptMessage, preferredSession, type Session } from '../../protocol/session/session.ts'
import { equalBytes } from '../../protocol/wire/bytes.ts'
import { sendableSessions } from '../../protocol/session/which-session.ts'
import { signedPrekeyRetentionMs } from '../../protocol/wire/limits.ts'
import type { ReadTransaction, WriteTransaction } from '../store/client-store.ts'
import type { AccountRow } from '../store/records/account.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import type { MessageReference } from '../store/records/message.ts'
import { sessionTable } from '../store/records/session.ts'
import type { Core } from './core.ts'
import { addOutgoing } from './delivery.ts'
import type { Effects } from './effects.ts'
import { lanesForContact } from './lanes.ts'
import { isHeld } from './trust.ts'

/** All sessions with a contact, most recently used first. */
export const readSessions = async (tx: ReadTransaction, contactId: Uint8Array): Promise<Session[]> => {
  const rows = await tx.list(sessionTable, { prefix: [contactId] })
  return rows.toSorted((a, b) => b.usedAtMs - a.usedAtMs).map((row) => row.state)
}

/**
 * The session to send on: with a device the contact's log still lists, from the device that this one is now. None while the
 * contact's keys wait for the person's yes.
 */
export const sendingSession = async (
  tx: ReadTransaction,
  contact: ContactRow,
  now: number,
): Promise<Session | undefined> => {
  if (isHeld(contact)) return undefined
  const { contactId, devices, receiveOnly = [] } = contact
  const listed = (await readSessions(tx, contactId)).filter(
    ({ sessionId, remoteDeviceId }) =>
      devices.some((device) => equalBytes(device.deviceId, remoteDeviceId)) &&
      !receiveOnly.some((closed) => equalBytes(closed, sessionId)),
  )
  const sessions = sendableSessions(listed, now)
  return sessions.length === 0 ? undefined : preferredSession(sessions)
}

export const putSession = (tx: WriteTransaction, session: Session, now: number): void =>
  tx.put(sessionTable, {
    contactId: session.remoteAccountId,
    sessionId: session.sessionId,
    handshakeTag: session.handshakeTag,
    state: session,
    usedAtMs: now,
  })

/**
 * 8 sessions per contact: two are usual, when both sides began at once. A contact that opens one after the other must not
 * fill the disk, nor make every envelope be tried with all of them.
 */
const maxSessionsPerContact = 8

/** Stores a session that has just begun; above the most a contact may have, the least recently used ones go. */
export const addSession = async (tx: WriteTransaction, session: Session, now: number): Promise<void> => {
  putSession(tx, session, now)
  const rows = await tx.list(sessionTable, { prefix: [session.remoteAccountId] })
  const others = rows.filter((row) => !equalBytes(row.sessionId, session.sessionId))
  const eldest = others.toSorted((a, b) => b.usedAtMs - a.usedAtMs).slice(maxSessionsPerContact - 1)
  for (const row of eldest) tx.delete(sessionTable, [row.contactId, row.sessionId])
}

/** Lets go of sessions that have not moved for as long as any message can wait; the one to send on stays. */
export const pruneSessions = async (tx: WriteTransaction, contact: ContactRow, now: number): Promise<void> => {
  const preferred = await sendingSession(tx, contact, now)
  for (const row of await tx.list(sessionTable, { prefix: [contact.contactId] })) {
    const resting = now - row.usedAtMs > signedPrekeyRetentionMs
    if (resting && !(preferred && equalBytes(preferred.sessionId, row.sessionId))) {
      tx.delete(sessionTable, [row.contactId, row.sessionId])
    }
  }
}

/** What a content says besides what every content says. */
export type Saying = Pick<Content, 'messageId' | 'sentAtMs' | 'sequence'> & { body: ContentBody; announce?: boolean }

/** What this device writes, said to the contact: who is "me" here is the sender there. */
export const textBody = (text: string, replyTo: MessageReference | undefined): ContentBody => ({
  kind: 'text',
  text,
  ...(replyTo ? { replyTo: { messageId: replyTo.messageId, bySender: replyTo.mine } } : {}),
})

/** Profile and lanes go into everything until the contact has certainly seen one of them, and on request. */
const compose = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contact: ContactRow,
  session: Session,
  { announce = false, ...saying }: Saying,
  effects: Effects,
): Promise<Content> => {
  const base: Content = { ...saying, conversationId: contact.conversationId, head: account.head }
  if (session.confirmed && !announce) return base
  const lanes = await lanesForContact(tx, core, account, contact.contactId, effects)
  const introduced: Content = { ...base, profile: { name: account.name }, lanes }
  if (session.handshake === undefined) return introduced
  const { inviteSecret } = contact
  const proof = inviteSecret && inviteProof(inviteSecret, account.accountId, core.crypto)
  return { ...introduced, opening: { log: account.log, ...(proof ? { inviteProof: proof } : {}) } }
}

/**
 * Encrypts for the contact and moves the session, both in this transaction; undefined when there is no session yet, or it is
 * not sure yet that this is the newest copy of it.
 */
export const encryptFor = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contact: ContactRow,
  saying: Saying,
  effects: Effects,
): Promise<Uint8Array | undefined> => {
  const now = core.now()
  const session = core.continuity.confirmed ? await sendingSession(tx, contact, now) : undefined
  if (!session) return undefined
  const content = await compose(tx, core, account, contact, session, saying, effects)
  const next = encryptMessage(session, encodeContent(content), { now, random: core.random, crypto: core.crypto })
  putSession(tx, next.session, now)
  return next.envelope
}

/**
 * Puts something on its way to a contact: into the outbox, encrypted if there is a session, else to be encrypted when there
 * is one. Returns the outbox number.
 */
export const dispatch = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contact: ContactRow,
  saying: Saying,
  effects: Effects,
): Promise<number> => {
  const envelope = await encryptFor(tx, core, account, contact, saying, effects)
  const number = contact.nextOutbox
  tx.put(contactTable, { ...contact, nextOutbox: number + 1 })
  const written = {
    contactId: contact.contactId,
    number,
    // What has an id here is offered until its receipt comes.
    ...(saying.sequence > 0 || isChange(saying.body) ? { messageId: saying.messageId } : {}),
    conversationId: contact.conversationId,
    createdAtMs: core.now(),
  }
  await addOutgoing(tx, core, effects, written, envelope)
  if (!envelope) effects.chores.add('sessions')
  return number
}

/** Control content: not shown, and done with once somebody has it. */
export const dispatchControl = (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contact: ContactRow,
  body: Extract<ContentBody, { kind: 'receipt' | 'profile' | 'lanes' | 'repair' }>,
  effects: Effects,
): Promise<number> => {
  const saying = { messageId: core.random(16), sentAtMs: core.now(), sequence: 0, body }
  return dispatch(tx, core, account, contact, { ...saying, announce: body.kind !== 'receipt' }, effects)
}
