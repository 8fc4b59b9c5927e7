import type { MessageView } from '../../models/messages-model.ts'
import { clockTime, dayName, exactTime } from '../parts/format-time.ts'
import { StatusIcon, statusWord } from '../parts/StatusIcon.tsx'
import type { Grouping } from './grouping.ts'
import { NoticeRow } from './NoticeRow.tsx'

interface Props extends Grouping {
  readonly message: MessageView
  readonly senderName: string
  /** What is not sent yet waits for the person's yes to new keys. */
  readonly held: boolean
  /** "New messages" begins here. */
  readonly firstUnread: boolean
  readonly now: number
  /** Place in the loaded rows, for the windowed list. */
  readonly index: number
  /** Place and number in the whole conversation, counted from 1. */
  readonly place: number
  readonly total: number
  readonly measure: (element: HTMLElement | null) => void
}

const rowClass = ({ message, first, last }: Props): string =>
  ['row', message.mine ? 'row-mine' : 'row-theirs', first && 'row-first', last && 'row-last'].filter(Boolean).join(' ')

const heldWord = 'Waiting for your yes to the new keys'

const Bubble = ({ message, senderName, held }: Pick<Props, 'message' | 'senderName' | 'held'>) => (
  <div class="bubble" dir="auto">
    {message.text === undefined ? (
      <span class="bubble-text bubble-unknown">This message needs a newer version of Sotto.</span>
    ) : (
      <span class="bubble-text">{message.text}</span>
    )}
    <span class="bubble-meta">
      {!message.mine && <span class="visually-hidden"> from {senderName}, </span>}
      <time dateTime={new Date(message.sentAtMs).toISOString()} title={exactTime(message.sentAtMs)}>
        {clockTime(message.sentAtMs)}
      </time>
      {message.status !== undefined && (
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

/** One message: text, time, and for one's own how far it came. Text is only ever text. */
export const MessageRow = (props: Props) => {
  const { message, newDay, firstUnread, now } = props
  const statusId = message.status === undefined ? undefined : `status-${message.messageId}`
  return (
    <li
      ref={props.measure}
      role="listitem"
      class={rowClass(props)}
      data-index={props.index}
      aria-posinset={props.place}
      aria-setsize={props.total}
      aria-describedby={statusId}
    >
      {newDay && (
        <div class="day">
          <span>{dayName(message.sentAtMs, now)}</span>
        </div>
      )}
      {firstUnread && (
        <div class="new-mark">
          <span>New messages</span>
        </div>
      )}
      {message.notice === undefined ? (
        <Bubble message={message} senderName={props.senderName} held={props.held} />
      ) : (
        <NoticeRow name={props.senderName} />
      )}
    </li>
  )
}
