import type { MessageView } from '../../models/messages-model.ts'
import { dayName } from '../parts/format-time.ts'
import { MoreIcon } from '../parts/icons.tsx'
import { Bubble, type MessageActions } from './Bubble.tsx'
import type { Grouping } from './grouping.ts'
import type { OpenMenu } from './MessageMenu.tsx'
import { NoticeRow } from './NoticeRow.tsx'
import { Reactions } from './Reactions.tsx'
import { useLongPress } from './use-long-press.ts'

interface Props extends Grouping {
  readonly message: MessageView
  readonly senderName: string
  /** What is not sent yet waits for the person's yes to new keys. */
  readonly held: boolean
  /** "New messages" begins here. */
  readonly firstUnread: boolean
  /** The person was led here a moment ago. */
  readonly sought: boolean
  /** The one row of the list that the Tab key stops at. */
  readonly tabbable: boolean
  readonly now: number
  /** Place in the loaded rows, for the windowed list. */
  readonly index: number
  /** Place and number in the whole conversation, counted from 1. */
  readonly place: number
  readonly total: number
  readonly actions: MessageActions
  readonly measure: (element: HTMLElement | null) => void
  readonly onMenu: (menu: OpenMenu) => void
}

const rowClass = ({ message, first, last, sought }: Props): string =>
  ['row', message.mine ? 'row-mine' : 'row-theirs', first && 'row-first', last && 'row-last', sought && 'row-sought']
    .filter(Boolean)
    .join(' ')

/** The bubble and the way to its menu: the button beside it, a right click, or a long touch. */
const Line = (props: Props) => {
  const { message, onMenu } = props
  const touch = useLongPress((point) => onMenu({ message, point }))
  return (
    <div
      class="bubble-line"
      {...touch}
      onContextMenu={(event) => {
        const { target, clientX, clientY } = event
        // What is selected, or a link, has a menu of the browser's own.
        const isTheirs = target instanceof Element && target.closest('a') !== null
        if (isTheirs || getSelection()?.isCollapsed === false) return
        event.preventDefault()
        onMenu({ message, point: { x: clientX, y: clientY } })
      }}
    >
      <Bubble message={message} senderName={props.senderName} held={props.held} actions={props.actions} />
      <button
        type="button"
        class="row-menu icon-button"
        aria-label="Message actions"
        aria-haspopup="menu"
        tabIndex={props.tabbable ? 0 : -1}
        onClick={({ currentTarget }) => {
          const { left, bottom } = currentTarget.getBoundingClientRect()
          onMenu({ message, point: { x: left, y: bottom } })
        }}
      >
        <MoreIcon />
      </button>
    </div>
  )
}

/** One row of the history: a message or a notice, and what is said between the days above it. */
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
        <>
          <Line {...props} />
          <Reactions
            message={message}
            senderName={props.senderName}
            onReact={(emoji) => props.actions.react(message, emoji)}
          />
        </>
      ) : (
        <NoticeRow name={props.senderName} />
      )}
    </li>
  )
}
