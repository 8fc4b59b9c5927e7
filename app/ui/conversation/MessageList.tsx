import type { RefObject } from 'preact'
import { useCallback, useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { Virtualizer } from '@tanstack/virtual-core'
import type { MessageView } from '../../models/messages-model.ts'
import { DownIcon, UpIcon } from '../parts/icons.tsx'
import { groupingOf } from './grouping.ts'
import { MessageRow } from './MessageRow.tsx'
import { useVirtualizer } from './use-virtualizer.ts'

interface Props {
  /** Ascending; at least one. */
  readonly messages: readonly MessageView[]
  /** Messages of the conversation, loaded or not. */
  readonly total: number
  readonly complete: boolean
  readonly firstUnreadId: string | null
  readonly unread: number
  readonly senderName: string
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

const estimate = (message: MessageView | undefined): number =>
  oneLinePx + Math.floor((message?.text?.length ?? 0) / charactersPerLine) * furtherLinePx

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
 * Whether it was in sight is noted when something scrolls: after a change it is too late to ask.
 */
const useStayAtEnd = (list: List, scroller: RefObject<HTMLDivElement | null>, messages: readonly MessageView[]) => {
  const atEnd = useRef(true)
  useLayoutEffect(() => {
    if (atEnd.current) list.scrollToEnd()
  }, [messages.length])
  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return undefined
    const note = () => {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight <= endThresholdPx
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
    if (newest?.mine) list.scrollToEnd()
  }, [newest?.messageId])
}

/** The windowed history: only the rows in sight exist, whatever the conversation's length. */
export const MessageList = (props: Props) => {
  const { messages, total, complete, firstUnreadId, unread, onNeedOlder, onLookedAt } = props
  const scroller = useRef<HTMLDivElement>(null)
  const list = useMessageRows(messages, scroller)
  useStayAtEnd(list, scroller, messages)
  useFollowOwn(list, messages.at(-1))

  const items = list.getVirtualItems()
  const lastInSight = messages[list.range?.endIndex ?? -1]?.position
  const unloaded = Math.max(0, total - messages.length)
  const firstUnreadIndex =
    firstUnreadId === null ? -1 : messages.findIndex(({ messageId }) => messageId === firstUnreadId)
  const unreadAbove = useRef(true)
  if (firstUnreadIndex >= (list.range?.startIndex ?? Infinity)) unreadAbove.current = false

  useEffect(() => {
    if (lastInSight !== undefined) onLookedAt(lastInSight)
  }, [lastInSight])
  useEffect(() => {
    if (!complete && (list.range?.startIndex ?? Infinity) < readAheadRows) onNeedOlder()
  }, [list.range?.startIndex, messages.length])

  return (
    <div class="history">
      <div class="scroller" ref={scroller} tabIndex={0} role="region" aria-label="History">
        <div class="rows-space" style={{ height: `${list.getTotalSize()}px` }}>
          <ul
            role="list"
            aria-label="Messages"
            class="rows"
            style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}
          >
            {items.map(({ index, key }) => {
              const message = messages[index]
              return (
                message !== undefined && (
                  <MessageRow
                    key={key}
                    message={message}
                    grouping={groupingOf(messages, index)}
                    senderName={props.senderName}
                    firstUnread={message.messageId === firstUnreadId}
                    now={props.now}
                    index={index}
                    place={unloaded + index + 1}
                    total={unloaded + messages.length}
                    measure={list.measureElement}
                  />
                )
              )
            })}
          </ul>
        </div>
      </div>
      {firstUnreadIndex >= 0 && unreadAbove.current && (
        <button
          type="button"
          class="pill pill-top"
          onClick={() => list.scrollToIndex(firstUnreadIndex, { align: 'start' })}
        >
          <UpIcon />
          To the first new one
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
    </div>
  )
}
