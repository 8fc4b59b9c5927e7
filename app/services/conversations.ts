import type { ContentBody } from '../../protocol/content/body.ts'
import { encodeContent, type Content } from '../../protocol/content/content.ts'
import { equalBytes } from '../../protocol/wire/bytes.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import type { ContactRow } from '../store/records/contact.ts'
import { removedTable, targetKey } from '../store/records/change.ts'
import { conversationTable, type ConversationRow } from '../store/records/conversation.ts'
import { messageIndex, messageTable, type MessageReference, type MessageRow } from '../store/records/message.ts'
import { isRaise } from './delivery-state.ts'
import type { MessageStatus } from './engine-api.ts'
import { noteConversation, noteMessage, type Effects } from './effects.ts'
import { appendPosition, arrivalPosition } from './positions.ts'

/** Steps that keep a conversation's row in agreement with its messages. */

export const lastOf = (row: MessageRow): NonNullable<ConversationRow['last']> => ({
  messageId: row.messageId,
  mine: row.mine,
  sentAtMs: row.sentAtMs,
  ...(row.text === undefined ? {} : { text: row.text }),
  ...(row.status === undefined ? {} : { status: row.status }),
  ...(row.deleted ? { deleted: true } : {}),
})

export const newConversation = (
  conversationId: Uint8Array,
  contactId: Uint8Array,
  now: number,
  hidden: boolean,
): ConversationRow => ({
  conversationId,
  contactId,
  messages: 0,
  unread: 0,
  lastPosition: 0,
  draft: '',
  nextSequence: 1,
  highestSequence: 0,
  createdAtMs: now,
  hidden,
})

export const putConversation = (tx: WriteTransaction, effects: Effects, row: ConversationRow): void => {
  tx.put(conversationTable, row)
  if (!row.hidden) noteConversation(effects, row)
}

/** Appends a message of this device. The row it stands in afterwards is `waiting`. */
export const addOwnMessage = (
  tx: WriteTransaction,
  effects: Effects,
  { draftReply: _, ...conversation }: ConversationRow,
  message: {
    messageId: Uint8Array
    text: string
    replyTo?: MessageReference | undefined
    now: number
    outboxNumber: number
  },
): MessageRow => {
  const { messageId, text, replyTo, now, outboxNumber } = message
  const row: MessageRow = {
    conversationId: conversation.conversationId,
    position: appendPosition(conversation),
    messageId,
    mine: true,
    text,
    sentAtMs: now,
    orderMs: now,
    sequence: conversation.nextSequence,
    status: 'waiting',
    outboxNumber,
    seen: true,
    ...(replyTo ? { replyTo } : {}),
  }
  tx.put(messageTable, row)
  noteMessage(effects, row, true)
  putConversation(tx, effects, {
    ...conversation,
    messages: conversation.messages + 1,
    lastPosition: row.position,
    last: lastOf(row),
    nextSequence: conversation.nextSequence + 1,
    draft: '',
  })
  return row
}

/**
 * How far the contact's clock is behind this one, from the shortest delay seen, and renewed daily: a clock that was put
 * right must not leave its old error behind.
 */
export const measureClock = (contact: ContactRow, sentAtMs: number, now: number): ContactRow => {
  const sample = now - sentAtMs
  const { clockOffsetMs, clockMeasuredAtMs } = contact
  const stale = clockMeasuredAtMs === undefined || now - clockMeasuredAtMs > 86_400_000
  if (!stale && clockOffsetMs !== undefined && sample >= clockOffsetMs) return contact
  return { ...contact, clockOffsetMs: sample, clockMeasuredAtMs: now }
}

interface Received {
  readonly content: Content
  readonly envelopeId: Uint8Array
  readonly now: number
  readonly clockOffsetMs: number
}

const shown = (content: Content): Pick<MessageRow, 'text' | 'unknown' | 'replyTo'> => {
  const body: ContentBody = content.body
  if (body.kind !== 'text') return { unknown: encodeContent(content) }
  const { text, replyTo } = body
  return { text, ...(replyTo ? { replyTo: { messageId: replyTo.messageId, mine: !replyTo.bySender } } : {}) }
}

/** Stores a received message in its place; undefined when this message of the contact is already there, or was deleted here. */
export const addReceivedMessage = async (
  tx: WriteTransaction,
  effects: Effects,
  conversation: ConversationRow,
  { content, envelopeId, now, clockOffsetMs }: Received,
): Promise<MessageRow | undefined> => {
  const { conversationId } = conversation
  const { messageId, sequence } = content
  if (await tx.find(messageTable, messageIndex(conversationId, false, messageId))) return undefined
  if (await tx.get(removedTable, [targetKey({ conversationId, mine: false, messageId })])) return undefined
  const orderMs = Math.max(0, Math.min(now, content.sentAtMs + clockOffsetMs))
  const { position, moved } = await arrivalPosition(tx, conversation, { sequence, orderMs })
  for (const row of moved) noteMessage(effects, row, false)
  const row: MessageRow = {
    conversationId,
    position,
    messageId,
    mine: false,
    ...shown(content),
    sentAtMs: Math.min(content.sentAtMs, now),
    orderMs,
    sequence,
    envelopeId,
    seen: false,
  }
  tx.put(messageTable, row)
  noteMessage(effects, row, true)
  const newest = position > conversation.lastPosition
  putConversation(tx, effects, {
    ...conversation,
    messages: conversation.messages + 1,
    unread: conversation.unread + 1,
    firstUnread: conversation.unread === 0 ? position : Math.min(conversation.firstUnread ?? position, position),
    lastPosition: newest ? position : (moved.at(-1)?.position ?? conversation.lastPosition),
    highestSequence: Math.max(conversation.highestSequence, sequence),
    ...(newest ? { last: lastOf(row) } : {}),
  })
  return row
}

/** Raises an own message's status; a lower one than it has changes nothing. Returns the row as it is now. */
export const raiseStatus = async (
  tx: WriteTransaction,
  effects: Effects,
  message: { conversationId: Uint8Array; messageId: Uint8Array; status: MessageStatus },
): Promise<MessageRow | undefined> => {
  const { conversationId, messageId, status } = message
  const row = await tx.find(messageTable, messageIndex(conversationId, true, messageId))
  if (row?.status === undefined || !isRaise(row.status, status)) return row
  const raised: MessageRow = { ...row, status }
  if (isRaise('sent', status)) delete raised.outboxNumber
  tx.put(messageTable, raised)
  noteMessage(effects, raised, false)
  const conversation = await tx.get(conversationTable, [conversationId])
  if (conversation?.last?.mine && equalBytes(conversation.last.messageId, messageId)) {
    putConversation(tx, effects, { ...conversation, last: { ...conversation.last, status } })
  }
  return raised
}
