import { logUpTo, verifyAccountLog } from '../../protocol/identity/account-log.ts'
import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import type { ContactRow } from '../store/records/contact.ts'
import { conversationTable, type ConversationRow } from '../store/records/conversation.ts'
import { messageTable, type MessageRow } from '../store/records/message.ts'
import { remoteDeviceTable } from '../store/records/remote-device.ts'
import { sessionTable } from '../store/records/session.ts'
import { putConversation } from './conversations.ts'
import type { Core } from './core.ts'
import { noteMessage, type Effects } from './effects.ts'
import { appendPosition } from './positions.ts'
import { readRemoteDevice, wantHandshake } from './remote-devices.ts'
import { isHeld, sameDevices, verificationOf } from './trust.ts'

/** The conversation's row with what is to be thought of the contact's keys and histories now. */
export const withTrust = (
  { verification: _, forked: __, ...row }: ConversationRow,
  contact: ContactRow,
): ConversationRow => {
  const verification = verificationOf(contact)
  return { ...row, ...(verification ? { verification } : {}), ...(contact.forked ? { forked: true } : {}) }
}

const addNotice = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  conversation: ConversationRow,
): Promise<ConversationRow> => {
  const { conversationId, lastPosition, messages } = conversation
  const last = await tx.get(messageTable, [conversationId, lastPosition])
  const row: MessageRow = {
    conversationId,
    position: appendPosition(conversation),
    messageId: core.random(16),
    mine: true,
    notice: 'keys-changed',
    sentAtMs: core.now(),
    // As the row above it: what was sent with the new keys comes after the notice, whatever the clocks say.
    orderMs: last?.orderMs ?? 0,
    sequence: 0,
    seen: true,
  }
  tx.put(messageTable, row)
  noteMessage(effects, row, true)
  return { ...conversation, messages: messages + 1, lastPosition: row.position }
}

/**
 * Who verified a contact before its log was known (by the code of an invite's account) has verified the devices that the log
 * had then, not those it may have got since.
 */
const withVerifiedDevices = (core: Core, contact: ContactRow): ContactRow => {
  const { verification, log } = contact
  if (!verification || verification.devices.length > 0) return contact
  const { devices } = verifyAccountLog(logUpTo(log, verification.head, core.crypto), core.crypto)
  return { ...contact, verification: { ...verification, devices: [...devices] } }
}

/** What was wanted of devices that are gone is wanted of the one that took their place; of them nothing more is. */
const moveWishes = async (
  tx: WriteTransaction,
  effects: Effects,
  { contactId, devices }: ContactRow,
): Promise<void> => {
  const rows = await tx.list(remoteDeviceTable, { prefix: [contactId] })
  const gone = rows.filter((row) => !devices.some(({ deviceId }) => equalBytes(deviceId, row.deviceId)))
  for (const row of gone) tx.delete(remoteDeviceTable, [contactId, row.deviceId])
  const wishes = gone.map((row) => row.handshake)
  const [device] = devices
  const wish = wishes.find((one) => one === 'repair') ?? wishes.find((one) => one === 'renewal')
  if (device && wish) wantHandshake(tx, effects, await readRemoteDevice(tx, contactId, device.deviceId), wish)
}

/**
 * Everything that follows from a newer log of a contact, in the step that learns of it: sessions with devices that are not
 * listed any more are closed, and the person is told in the conversation. So it stands there before anything can be encrypted
 * for the new keys. Returns the contact to store. The first devices of a contact are no change.
 */
export const followDevices = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  before: ContactRow,
  after: ContactRow,
): Promise<ContactRow> => {
  if (sameDevices(before.devices, after.devices)) return after
  effects.routes.add(toHex(after.contactId))
  const contact = withVerifiedDevices(core, after)
  const { devices } = contact
  if (before.devices.length === 0 && !isHeld(contact)) return contact
  for (const row of await tx.list(sessionTable, { prefix: [contact.contactId] })) {
    const listed = devices.some(({ deviceId }) => equalBytes(deviceId, row.state.remoteDeviceId))
    if (!listed) tx.delete(sessionTable, [row.contactId, row.sessionId])
  }
  await moveWishes(tx, effects, contact)
  const conversation = await tx.get(conversationTable, [contact.conversationId])
  if (!conversation) return contact
  const told = contact.state === 'accepted' ? await addNotice(tx, core, effects, conversation) : conversation
  putConversation(tx, effects, withTrust(told, contact))
  return contact
}
