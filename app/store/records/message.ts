import { concatBytes } from '../../../protocol/wire/bytes.ts'
import { maxEmojiLength } from '../../../protocol/content/body.ts'
import { boolean, bytes, bytesUpTo, nested, oneOf, optional, struct, text, uint } from '../../../protocol/wire/codec.ts'
import { maxEnvelopeBytes, maxTextBytes } from '../../../protocol/wire/limits.ts'
import type { Table } from '../client-store.ts'
import { double } from './fields.ts'

/** Ascending: a status is replaced by a greater one only. */
export const messageStatus = oneOf({ waiting: 0, sent: 1, delivered: 2, read: 3 })

/** What the app itself says in a conversation. */
const noticeKind = oneOf({ 'keys-changed': 0 })

/** Another message of the same conversation; `mine`: written on this side. */
export const messageReference = struct('message-reference', { messageId: [0, bytes(16)], mine: [1, boolean] })
export type MessageReference = ReturnType<typeof messageReference.decode>

/** What one side thinks of a message. Empty: taken back, which counts too, so that an older one does not come again. */
const reaction = struct('reaction', { emoji: [0, text(maxEmojiLength)], revision: [1, uint()] })

/** One shown message, or a notice: a row of ours without text, status or sequence. */
const message = struct('message', {
  conversationId: [0, bytes(16)],
  /** Display order; see `services/positions.ts`. */
  position: [1, double],
  messageId: [2, bytes(16)],
  mine: [3, boolean],
  /** Absent for content this version cannot show. */
  text: [4, optional(text(maxTextBytes))],
  /** Such content as it came (`encodeContent`), for the version that can. */
  unknown: [5, optional(bytesUpTo(maxEnvelopeBytes))],
  /** Sender's clock, but never in this device's future when it was stored. */
  sentAtMs: [6, uint()],
  /** The same moment by this device's clock, as well as it can be told. */
  orderMs: [7, uint()],
  /** Per sender device: 1, 2, 3… */
  sequence: [8, uint()],
  /** Own messages. */
  status: [9, optional(messageStatus)],
  /** Own messages that are not delivered yet: their outbox row. */
  outboxNumber: [10, optional(uint())],
  /** Received messages: the envelope that brought it, whose repeat may renew the receipt. */
  envelopeId: [11, optional(bytes(16))],
  /** Received messages: it was on screen. */
  seen: [12, boolean],
  /** The message it answers, which may be gone. */
  replyTo: [13, optional(nested(messageReference))],
  /** How often it was edited, and when it last was, by the sender's clock. */
  revision: [14, optional(uint())],
  editedAtMs: [15, optional(uint())],
  /** It was deleted for both sides: nothing of what it said is left. */
  deleted: [16, optional(boolean)],
  reactionHere: [17, optional(nested(reaction))],
  reactionThere: [18, optional(nested(reaction))],
  notice: [20, optional(noticeKind)],
})
export type MessageRow = ReturnType<typeof message.decode>

export const messageTable: Table<MessageRow> = {
  name: 'messages',
  codec: message,
  key: (row) => [row.conversationId, row.position],
  index: (row) => messageIndex(row.conversationId, row.mine, row.messageId),
}

/** Ids are chosen by their sender, so they are told apart by conversation and side: nobody can take another's id. */
export const messageIndex = (conversationId: Uint8Array, mine: boolean, messageId: Uint8Array): Uint8Array =>
  concatBytes(conversationId, Uint8Array.of(mine ? 1 : 0), messageId)
