import type { Virtualizer } from '@tanstack/virtual-core'
import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { MessageView } from '../../models/messages-model.ts'

type List = Virtualizer<HTMLElement, HTMLElement>

const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }

const buttonIn = (scroller: HTMLElement | null, index: number): HTMLElement | null =>
  scroller?.querySelector<HTMLElement>(`[data-index="${index}"] .row-menu`) ?? null

/** The message `step` further that can be focused; notices cannot. */
const nextIndex = (messages: readonly MessageView[], from: number, step: number): number => {
  if (step === -Infinity) return messages.findIndex(({ notice }) => notice === undefined)
  if (step === Infinity) return messages.findLastIndex(({ notice }) => notice === undefined)
  let index = from + step
  while (messages[index]?.notice !== undefined) index += step
  return messages[index] === undefined ? -1 : index
}

/**
 * The keyboard in a windowed list: the Tab key stops at one row, arrows lead to its neighbours. When a row with the focus
 * leaves the document because something else is scrolled into sight, the focus goes to the list instead of nowhere.
 */
export const useRowFocus = (list: List, scroller: RefObject<HTMLElement | null>, messages: readonly MessageView[]) => {
  const [focusedId, setFocusedId] = useState<string | null>(null)
  /** Has the focus as soon as it is in the document. */
  const wanted = useRef<string | null>(null)
  const hadFocus = useRef(false)

  const to = (index: number): void => {
    const message = messages[index]
    if (message === undefined) return
    const button = buttonIn(scroller.current, index)
    wanted.current = button ? null : message.messageId
    if (button) {
      button.focus({ preventScroll: true })
      // By the browser: the list scrolls to a place that may be another message's by then, when older ones come in front.
      button.closest('li')?.scrollIntoView({ block: 'nearest' })
    } else list.scrollToIndex(index, { align: 'auto' })
  }

  useLayoutEffect(() => {
    const element = scroller.current
    if (wanted.current !== null) {
      const index = messages.findIndex(({ messageId }) => messageId === wanted.current)
      const button = buttonIn(element, index)
      if (button || index < 0) wanted.current = null
      button?.focus({ preventScroll: true })
    }
    const active = element?.ownerDocument.activeElement
    if (hadFocus.current && active === element?.ownerDocument.body) element?.focus({ preventScroll: true })
    hadFocus.current = active !== element && (element?.contains(active ?? null) ?? false)
  })

  const items = list.getVirtualItems()
  const isThere = items.some(({ key }) => key === focusedId)
  const last = list.range?.endIndex
  const lastInSight = items.findLast(
    ({ index }) => index <= (last ?? Infinity) && messages[index]?.notice === undefined,
  )

  return {
    /** Brings the row into sight and gives it the focus. */
    to,
    tabbableId: isThere && focusedId !== null ? focusedId : lastInSight?.key.toString(),
    onFocus: ({ target }: FocusEvent) => {
      const row = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null
      const message = messages[Number(row?.dataset['index'] ?? -1)]
      if (message !== undefined) setFocusedId(message.messageId)
      hadFocus.current = row !== null
    },
    onKey: (event: KeyboardEvent) => {
      const { key, target, altKey, ctrlKey, metaKey } = event
      const step = altKey || ctrlKey || metaKey ? undefined : steps[key]
      const row = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null
      if (step === undefined || row === null) return
      event.preventDefault()
      to(nextIndex(messages, Number(row.dataset['index']), step))
    },
  }
}
