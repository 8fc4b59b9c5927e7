import { boolean, bytes, nested, oneOf, optional, struct, text, uint } from '../../../protocol/wire/codec.ts'
import { maxNameLength, maxTextBytes } from '../../../protocol/wire/limits.ts'
import type { Table } from '../client-store.ts'
import { double } from './fields.ts'
import { messageReference, messageStatus } from './message.ts'

/** 64 Ki code units: a draft may be longer than a message while it is being shortened. */
export const maxDraftLength = 65_536

const lastMessage = struct('last-message', {
  messageId: [0, bytes(16)],
  text: [1, optional(text(maxTextBytes))],
  mine: [2, boolean],
  sentAtMs: [3, uint()],
  status: [4, optional(messageStatus)],
  deleted: [5, optional(boolean)],
})

/** What the list of conversations shows, kept in step with the messages in the same transactions. */
const conversation = struct('conversation', {
  conversationId: [0, bytes(16)],
  contactId: [1, bytes(32)],
  name: [2, optional(text(maxNameLength))],
  messages: [3, uint()],
  unread: [4, uint()],
  /** Position of the first message not yet on screen, while `unread` is above 0. */
  firstUnread: [5, optional(double)],
  /** Highest position given out. */
  lastPosition: [6, double],
  last: [7, optional(nested(lastMessage))],
  draft: [8, text(maxDraftLength)],
  /** Sequence of this device's next shown message. */
  nextSequence: [9, uint()],
  /** Highest sequence received. */
  highestSequence: [10, uint()],
  createdAtMs: [11, uint()],
  /** A stranger's request: kept, but not on any screen yet. */
  hidden: [12, boolean],
  /** As the contact's row has it; absent: not verified. */
  verification: [20, optional(oneOf({ verified: 0, changed: 1 }))],
  /** As the contact's row has it. */
  forked: [21, optional(boolean)],
  /** When the contact was last seen here, as it told over a direct link; Unix milliseconds. Absent: not told. */
  seenAtMs: [22, optional(uint())],
  /** What the draft answers. */
  draftReply: [23, optional(nested(messageReference))],
})
export type ConversationRow = ReturnType<typeof conversation.decode>

export const conversationTable: Table<ConversationRow> = {
  name: 'conversations',
  codec: conversation,
  key: (row) => [row.conversationId],
}
