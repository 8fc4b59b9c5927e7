import type { ConversationView } from '../../models/conversations-model.ts'
import { Avatar } from '../parts/Avatar.tsx'
import { relativeTime } from '../parts/format-time.ts'
import { deletedWords } from '../parts/message-words.ts'
import { PresenceDot } from '../parts/Presence.tsx'
import { StatusIcon, statusWord } from '../parts/StatusIcon.tsx'
import { previewOf } from '../rich-text/syntax-tree.ts'
import { VerifiedMark } from '../parts/VerifiedMark.tsx'

interface Props {
  readonly conversation: ConversationView
  readonly open: boolean
  readonly now: number
  readonly onOpen: () => void
}

const wordsOf = (last: ConversationView['last']): string => {
  if (last === undefined) return 'Nothing written yet'
  if (last.deleted) return deletedWords(last.mine)
  return last.text === undefined ? 'Needs a newer version of Sotto' : previewOf(last.text)
}

const Preview = ({ conversation }: { conversation: ConversationView }) => {
  const { typing, draft, last } = conversation
  if (typing) return <span class="preview preview-typing">writing…</span>
  if (draft.trim() !== '')
    return (
      <span class="preview">
        <span class="preview-draft">Draft: </span>
        <bdi>{draft}</bdi>
      </span>
    )
  return (
    <span class="preview">
      <bdi>{wordsOf(last)}</bdi>
    </span>
  )
}

/** One conversation in the list: who, the last words, when, how far they came, and what is unread. */
export const ConversationRow = ({ conversation, open, now, onOpen }: Props) => {
  const { conversationId, contactId, name, last, unread } = conversation
  return (
    <li role="listitem" class="conversation-row">
      <Avatar contactId={contactId} name={name} />
      <button
        type="button"
        class="conversation-name"
        data-conversation={conversationId}
        aria-current={open}
        aria-describedby={`about-${conversationId}`}
        onClick={onOpen}
      >
        <bdi>{name ?? 'New contact'}</bdi>
      </button>
      <span class="conversation-about" id={`about-${conversationId}`}>
        <PresenceDot here={conversation.here} />
        <span class="conversation-when">
          <VerifiedMark verification={conversation.verification} />
          {last !== undefined && <time class="conversation-time">{relativeTime(last.sentAtMs, now)}</time>}
        </span>
        {last?.mine && last.status !== undefined && !conversation.typing && conversation.draft.trim() === '' && (
          <>
            <StatusIcon status={last.status} />
            <span class="visually-hidden">{statusWord[last.status]}: </span>
          </>
        )}
        <Preview conversation={conversation} />
        {unread > 0 && (
          <span class="badge">
            {unread > 999 ? '999+' : unread}
            <span class="visually-hidden"> unread</span>
          </span>
        )}
      </span>
    </li>
  )
}
