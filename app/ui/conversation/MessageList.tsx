import type { RefObject } from 'preact'
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { VirtualItem, Virtualizer } from '@tanstack/virtual-core'
import type { MessageView } from '../../models/messages-model.ts'
import { DownIcon, UpIcon } from '../parts/icons.tsx'
import type { MessageActions } from './Bubble.tsx'
import { groupingOf } from './grouping.ts'
import { MessageMenu } from '../dialogs/later-dialogs.ts'
import type { OpenMenu } from './MessageMenu.tsx'
import { MessageRow } from './MessageRow.tsx'
import { useRowFocus } from './use-row-focus.ts'
import { useSought } from './use-sought.ts'
import { useVirtualizer } from './use-virtualizer.ts'

interface Props {
  /** Ascending; at least one. */
  readonly messages: readonly MessageView[]
  /** Messages of the conversation, loaded or not. */
  readonly total: number
  readonly complete: boolean
  readonly firstUnreadId: string | null
  /** Brought into sight whenever it is another object. */
  readonly sought: { readonly messageId: string } | null
  readonly actions: MessageActions
  readonly unread: number
  readonly senderName: string
  /** What is not sent yet waits for the person's yes to new keys. */
  readonly held: boolean
  readonly now: number
  readonly onNeedOlder: () => void
  /** The message at this position is the last one in sight. */
  readonly onLookedAt: (position: number) => void
}

type List = Virtualizer<HTMLElement, HTMLElement>

/** Rows kept beyond each edge, so that fast scrolling shows no gaps. */
const overscan = 10
/** The next page is read when fewer rows than this are left above. */
const readAheadRows = 40
/** Within 80 px of the end somebody is reading the newest message: the list follows. */
const endThresholdPx = 80
/** Before a row is measured: one line with its spacing, and what further lines add at about 42 characters each. */
const [oneLinePx, furtherLinePx, charactersPerLine] = [40, 21, 42] as const

/** A quotation above the text. */
const quotePx = 52
/** A longer text is folded, at about here. */
const mostCharacters = 1_000

const estimate = (message: MessageView | undefined): number => {
  const characters = Math.min(message?.text?.length ?? 0, mostCharacters)
  const quote = message?.replyTo === undefined ? 0 : quotePx
  return oneLinePx + quote + Math.floor(characters / charactersPerLine) * furtherLinePx
}

const useMessageRows = (messages: readonly MessageView[], scroller: RefObject<HTMLDivElement | null>): List => {
  const current = useRef(messages)
  current.current = messages
  return useVirtualizer({
    count: messages.length,
    getScrollElement: () => scroller.current,
    estimateSize: useCallback((index: number) => estimate(current.current[index]), []),
    getItemKey: useCallback((index: number) => current.current[index]?.messageId ?? index, []),
    overscan,
    anchorTo: 'end',
    scrollEndThreshold: endThresholdPx,
    // Beyond every end: the browser stops at the newest message.
    initialOffset: () => messages.reduce((sum, message) => sum + 2 * estimate(message), 0),
  })
}

/**
 * Keeps the end in sight: while messages come in at either end, the field below grows or an on-screen keyboard opens.
 * Whether it was in sight is noted when something scrolls: after a change it is too late to ask. Only scrolling up leaves the
 * end; a list that has grown meanwhile, or is still being measured, is merely not there yet.
 */
const useStayAtEnd = (list: List, scroller: RefObject<HTMLDivElement | null>, messages: readonly MessageView[]) => {
  const atEnd = useRef(true)
  useLayoutEffect(() => {
    if (atEnd.current) list.scrollToEnd()
  }, [messages.length])
  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return undefined
    let topBefore = element.scrollTop
    const note = () => {
      const isThere = element.scrollHeight - element.scrollTop - element.clientHeight <= endThresholdPx
      if (isThere || element.scrollTop < topBefore) atEnd.current = isThere
      topBefore = element.scrollTop
    }
    const observer = new ResizeObserver(() => atEnd.current && list.scrollToEnd())
    observer.observe(element)
    element.addEventListener('scroll', note, { passive: true })
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', note)
    }
  }, [])
}

/** Who writes wants to see what they wrote, wherever they were. */
const useFollowOwn = (list: List, newest: MessageView | undefined) => {
  const known = useRef(newest?.messageId)
  useLayoutEffect(() => {
    if (newest?.messageId === known.current) return
    known.current = newest?.messageId
    if (newest?.mine && newest.notice === undefined) list.scrollToEnd()
  }, [newest?.messageId])
}

/** The first new message of this visit, when it is loaded and not yet in sight. */
const useUnreadAbove = (list: List, messages: readonly MessageView[], firstUnreadId: string | null): number | null => {
  const above = useRef(true)
  const index = firstUnreadId === null ? -1 : messages.findIndex(({ messageId }) => messageId === firstUnreadId)
  if (index >= (list.range?.startIndex ?? Infinity)) above.current = false
  return index >= 0 && above.current ? index : null
}

type RowsProps = Pick<Props, 'messages' | 'total' | 'firstUnreadId' | 'senderName' | 'held' | 'now' | 'actions'> & {
  readonly items: readonly VirtualItem[]
  readonly height: number
  readonly measure: List['measureElement']
  /** The row the Tab key stops at, and the one the person was led to. */
  readonly tabbableId: string | undefined
  readonly soughtId: string | null
  readonly onMenu: (menu: OpenMenu) => void
}

const Rows = ({ items, height, ...props }: RowsProps) => {
  const { messages, total } = props
  const unloaded = Math.max(0, total - messages.length)
  return (
    <div class="rows-space" style={{ height: `${height}px` }}>
      <ul role="list" aria-label="Messages" class="rows" style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
        {items.map(({ index, key }) => {
          const message = messages[index]
          if (message === undefined) return null
          return (
            <MessageRow
              key={key}
              message={message}
              {...groupingOf(messages, index)}
              senderName={props.senderName}
              held={props.held}
              firstUnread={key === props.firstUnreadId}
              sought={key === props.soughtId}
              tabbable={key === props.tabbableId}
              now={props.now}
              index={index}
              actions={props.actions}
              onMenu={props.onMenu}
              place={unloaded + index + 1}
              total={unloaded + messages.length}
              measure={props.measure}
            />
          )
        })}
      </ul>
    </div>
  )
}

/** Buttons to the first new message and to the newest one, while those are out of sight. */
const Ways = ({ list, unread, unreadAbove }: { list: List; unread: number; unreadAbove: number | null }) => (
  <>
    {unreadAbove !== null && (
      <button type="button" class="pill pill-top" onClick={() => list.scrollToIndex(unreadAbove, { align: 'start' })}>
        <UpIcon />
        First new message
      </button>
    )}
    {!list.isAtEnd(endThresholdPx) && (
      <button
        type="button"
        class={`pill pill-bottom${unread > 0 ? ' pill-strong' : ''}`}
        onClick={() => list.scrollToEnd({ behavior: 'auto' })}
      >
        <DownIcon />
        {unread > 0 ? `${unread} new · ` : ''}Jump to latest
      </button>
    )}
  </>
)

/** The windowed history: only the rows in sight exist, whatever the conversation's length. */
export const MessageList = ({ complete, unread, onNeedOlder, onLookedAt, ...props }: Props) => {
  const { messages } = props
  const scroller = useRef<HTMLDivElement>(null)
  const list = useMessageRows(messages, scroller)
  useStayAtEnd(list, scroller, messages)
  useFollowOwn(list, messages.at(-1))
  const items = list.getVirtualItems()
  const unreadAbove = useUnreadAbove(list, messages, props.firstUnreadId)
  const focus = useRowFocus(list, scroller, messages)
  const soughtId = useSought(list, messages, props.sought, focus.to)
  const [menu, setMenu] = useState<OpenMenu | null>(null)
  const firstInSight = list.range?.startIndex
  const lastInSight = messages[list.range?.endIndex ?? -1]?.position

  useEffect(() => {
    if (lastInSight !== undefined) onLookedAt(lastInSight)
  }, [lastInSight])
  useEffect(() => {
    if (!complete && firstInSight !== undefined && firstInSight < readAheadRows) onNeedOlder()
  }, [firstInSight, messages.length])

  return (
    <div class="history">
      <div
        class="scroller"
        ref={scroller}
        tabIndex={0}
        role="region"
        aria-label="History"
        onKeyDown={focus.onKey}
        onFocusIn={focus.onFocus}
      >
        <Rows
          {...props}
          items={items}
          height={list.getTotalSize()}
          measure={list.measureElement}
          tabbableId={focus.tabbableId}
          soughtId={soughtId}
          onMenu={setMenu}
        />
      </div>
      {menu !== null && (
        <MessageMenu
          {...menu}
          actions={props.actions}
          onChosen={() => setMenu(null)}
          onClose={() => {
            setMenu(null)
            focus.to(messages.findIndex(({ messageId }) => messageId === menu.message.messageId))
          }}
        />
      )}
      <Ways list={list} unread={unread} unreadAbove={unreadAbove} />
    </div>
  )
}
