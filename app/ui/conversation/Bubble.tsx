import type { MessageView, Referred } from '../../models/messages-model.ts'
import { clockTime, exactTime } from '../parts/format-time.ts'
import { StatusIcon, statusWord } from '../parts/StatusIcon.tsx'
import { MessageText } from '../rich-text/MessageText.tsx'
import { deletedWords, unknownWords } from '../parts/message-words.ts'
import { Quote } from './Quote.tsx'

/** What a person can do with the messages of a conversation, and what their rows need to know. */
export interface MessageActions {
  readonly referred: (messageId: string) => Referred
  readonly show: (messageId: string) => void
  readonly isUnfolded: (messageId: string) => boolean
  readonly unfold: (messageId: string) => void
  readonly answer: (message: MessageView) => void
  readonly copy: (message: MessageView) => void
  readonly edit: (message: MessageView) => void
  readonly react: (message: MessageView, emoji: string) => void
  readonly remove: (message: MessageView) => void
  readonly showEarlier: (message: MessageView) => void
}

interface Props {
  readonly message: MessageView
  readonly senderName: string
  /** What is not sent yet waits for the person's yes to new keys. */
  readonly held: boolean
  readonly actions: MessageActions
}

const heldWord = 'Waiting for your yes to the new keys'

const Answered = ({ replyTo, senderName, actions }: Omit<Props, 'message' | 'held'> & { replyTo: string }) => {
  const quoted = actions.referred(replyTo)
  if (quoted === null)
    return (
      <div class="quote">
        <Quote message={quoted} senderName={senderName} />
      </div>
    )
  return (
    <button type="button" class="quote" title="Show this message" onClick={() => actions.show(replyTo)}>
      <span class="visually-hidden">In answer to </span>
      <Quote message={quoted} senderName={senderName} />
    </button>
  )
}

const Words = ({ message, actions }: Pick<Props, 'message' | 'actions'>) => {
  const { messageId, mine, text, deleted } = message
  if (text !== undefined)
    return (
      <MessageText text={text} unfolded={actions.isUnfolded(messageId)} onUnfold={() => actions.unfold(messageId)} />
    )
  return <span class="bubble-text bubble-unknown">{deleted ? deletedWords(mine) : unknownWords}</span>
}

/** One message: what it answers, its text, time, and for one's own how far it came. */
export const Bubble = ({ message, senderName, held, actions }: Props) => (
  <div class="bubble" dir="auto">
    {message.replyTo !== undefined && <Answered replyTo={message.replyTo} senderName={senderName} actions={actions} />}
    <Words message={message} actions={actions} />
    <span class="bubble-meta">
      {!message.mine && <span class="visually-hidden"> from {senderName}, </span>}
      {message.editedAtMs !== undefined && (
        <button
          type="button"
          class="button-link bubble-edited"
          title="What it said before"
          onClick={() => actions.showEarlier(message)}
        >
          edited
        </button>
      )}
      <time dir="auto" dateTime={new Date(message.sentAtMs).toISOString()} title={exactTime(message.sentAtMs)}>
        {clockTime(message.sentAtMs)}
      </time>
      {message.status !== undefined && !message.deleted && (
        <>
          <StatusIcon status={message.status} />
          <span id={`status-${message.messageId}`} class="visually-hidden">
            {held && message.status === 'waiting' ? heldWord : statusWord[message.status]}
          </span>
        </>
      )}
    </span>
  </div>
)
