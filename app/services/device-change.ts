import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import type { ContactRow } from '../store/records/contact.ts'
import { conversationTable, type ConversationRow } from '../store/records/conversation.ts'
import { messageTable, type MessageRow } from '../store/records/message.ts'
import { sessionTable } from '../store/records/session.ts'
import { putConversation } from './conversations.ts'
import type { Core } from './core.ts'
import { noteMessage, type Effects } from './effects.ts'
import { appendPosition } from './positions.ts'
import { sameDevices, verificationOf } from './trust.ts'

/** The conversation's row with the contact's verification as it is now. */
export const withVerification = (
  { verification: _, ...row }: ConversationRow,
  contact: ContactRow,
): ConversationRow => {
  const verification = verificationOf(contact)
  return verification ? { ...row, verification } : row
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
  const { verification, devices, head } = after
  const unknown = verification && verification.devices.length === 0
  const contact = unknown ? { ...after, verification: { ...verification, devices, head } } : after
  if (before.devices.length === 0) return contact
  for (const row of await tx.list(sessionTable, { prefix: [contact.contactId] })) {
    const listed = devices.some(({ deviceId }) => equalBytes(deviceId, row.state.remoteDeviceId))
    if (!listed) tx.delete(sessionTable, [row.contactId, row.sessionId])
  }
  const conversation = await tx.get(conversationTable, [contact.conversationId])
  if (!conversation) return contact
  const told = contact.state === 'accepted' ? await addNotice(tx, core, effects, conversation) : conversation
  putConversation(tx, effects, withVerification(told, contact))
  return contact
}
