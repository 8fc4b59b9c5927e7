import type { MessageView } from '../../models/messages-model.ts'
import { clockTime, dayName, exactTime } from '../parts/format-time.ts'
import { StatusIcon, statusWord } from '../parts/StatusIcon.tsx'
import type { Grouping } from './grouping.ts'

interface Props extends Grouping {
  readonly message: MessageView
  readonly senderName: string
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
      <div class="bubble" dir="auto">
        {message.text === undefined ? (
          <span class="bubble-text bubble-unknown">This message needs a newer version of Sotto.</span>
        ) : (
          <span class="bubble-text">{message.text}</span>
        )}
        <span class="bubble-meta">
          {!message.mine && <span class="visually-hidden"> from {props.senderName}, </span>}
          <time dateTime={new Date(message.sentAtMs).toISOString()} title={exactTime(message.sentAtMs)}>
            {clockTime(message.sentAtMs)}
          </time>
          {message.status !== undefined && (
            <>
              <StatusIcon status={message.status} />
              <span id={statusId} class="visually-hidden">
                {statusWord[message.status]}
              </span>
            </>
          )}
        </span>
      </div>
    </li>
  )
}
