import { concatBytes, fromHex, toHex } from '../../protocol/wire/bytes.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import type { AccountRow } from '../store/records/account.ts'
import type { ConversationRow } from '../store/records/conversation.ts'
import type { MessageReference, MessageRow } from '../store/records/message.ts'
import type { ConversationView, MessageView, ProfileView, RelayView } from './engine-api.ts'
import type { Presence } from './presence.ts'

/** Projections of stored rows for the page. */

const nameOf = ({ messageId, mine }: MessageReference): string =>
  toHex(concatBytes(Uint8Array.of(mine ? 1 : 0), messageId))

/** What a view's `messageId` stands for. @throws ProtocolError `malformed` for anything else. */
export const referenceOf = (name: string): MessageReference => {
  const [side, ...messageId] = fromHex(name)
  if (side === undefined || side > 1 || messageId.length !== 16) {
    throw new ProtocolError('malformed', 'this names no message')
  }
  return { messageId: Uint8Array.from(messageId), mine: side === 1 }
}

const reactionsOf = ({ reactionHere, reactionThere }: MessageRow): Pick<MessageView, 'reactions'> => {
  const [mine, theirs] = [reactionHere?.emoji ?? '', reactionThere?.emoji ?? '']
  return mine === '' && theirs === ''
    ? {}
    : { reactions: { ...(mine === '' ? {} : { mine }), ...(theirs === '' ? {} : { theirs }) } }
}

export const messageView = (row: MessageRow): MessageView => ({
  messageId: nameOf(row),
  conversationId: toHex(row.conversationId),
  position: row.position,
  mine: row.mine,
  sentAtMs: row.sentAtMs,
  ...(row.text === undefined ? {} : { text: row.text }),
  ...(row.status === undefined ? {} : { status: row.status }),
  ...(row.notice === undefined ? {} : { notice: row.notice }),
  ...(row.editedAtMs === undefined ? {} : { editedAtMs: row.editedAtMs }),
  ...(row.deleted ? { deleted: true } : {}),
  ...reactionsOf(row),
  ...(row.replyTo === undefined ? {} : { replyTo: nameOf(row.replyTo) }),
})

export const conversationView = (row: ConversationRow, presence: Presence): ConversationView => {
  const contactId = toHex(row.contactId)
  const { last } = row
  const here = presence.here.get(contactId)
  const waiting = presence.waiting.get(contactId)
  return {
    conversationId: toHex(row.conversationId),
    contactId,
    ...(row.name === undefined ? {} : { name: row.name }),
    ...(last === undefined
      ? {}
      : {
          last: {
            mine: last.mine,
            sentAtMs: last.sentAtMs,
            ...(last.text === undefined ? {} : { text: last.text }),
            ...(last.status === undefined ? {} : { status: last.status }),
            ...(last.deleted ? { deleted: true } : {}),
          },
        }),
    createdAtMs: row.createdAtMs,
    unread: row.unread,
    draft: row.draft,
    ...(row.draftReply === undefined ? {} : { draftReply: nameOf(row.draftReply) }),
    messages: row.messages,
    path: presence.path(contactId),
    typing: presence.typing.get(contactId) === true,
    ...(waiting === undefined ? {} : { waiting }),
    ...(here === undefined ? {} : { here }),
    ...(row.seenAtMs === undefined ? {} : { seenAtMs: row.seenAtMs }),
    ...(row.verification === undefined ? {} : { verification: row.verification }),
    ...(row.forked ? { forked: true } : {}),
  }
}

export const profileView = ({ accountId, name, createdAtMs, keysSinceMs = createdAtMs }: AccountRow): ProfileView => ({
  accountId: toHex(accountId),
  name,
  keysSinceMs,
})

export const relayViews = ({ relays }: AccountRow, presence: Presence): RelayView[] =>
  relays.map(({ relayKey, name, addresses }) => ({
    relayId: toHex(relayKey),
    name,
    addresses,
    state: presence.relay(toHex(relayKey)),
  }))
