import type { ComponentType } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { MessageView } from '../../models/messages-model.ts'
import { CopyIcon, ReplyIcon } from '../parts/icons.tsx'
import type { MessageActions } from './Bubble.tsx'
import type { Point } from './use-long-press.ts'

export interface OpenMenu {
  readonly message: MessageView
  /** Where it opens, in the window. */
  readonly point: Point
}

interface Props extends OpenMenu {
  readonly actions: MessageActions
  /** `chosen`: something was chosen, and that decides where the focus goes. */
  readonly onClose: (chosen: boolean) => void
}

interface Item {
  readonly label: string
  readonly Icon: ComponentType
  readonly act: (message: MessageView) => void
}

const itemsFor = ({ text }: MessageView, actions: MessageActions): readonly Item[] => [
  { label: 'Reply', Icon: ReplyIcon, act: actions.answer },
  ...(text === undefined ? [] : [{ label: 'Copy text', Icon: CopyIcon, act: actions.copy }]),
]

/** 8 px from every edge of the window. */
const edgePx = 8

const place = (menu: HTMLElement, { x, y }: Point): void => {
  const { width, height } = menu.getBoundingClientRect()
  const within = (wanted: number, size: number, all: number): number =>
    Math.max(edgePx, Math.min(wanted, all - size - edgePx))
  menu.style.left = `${within(x, width, innerWidth)}px`
  // Above the point where there is no room below it.
  menu.style.top = `${within(y + height + edgePx > innerHeight ? y - height : y, height, innerHeight)}px`
}

const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }

/** The item `key` leads to from the focused one; at the ends it goes round. */
const itemAt = (menu: HTMLElement, key: string): HTMLElement | undefined => {
  const step = steps[key]
  if (step === undefined) return undefined
  const items = [...menu.querySelectorAll<HTMLElement>('[role=menuitem]')]
  if (!Number.isFinite(step)) return items.at(step > 0 ? -1 : 0)
  const now = items.findIndex((item) => item === menu.ownerDocument.activeElement)
  return items.at((now + step) % items.length)
}

/** What can be done with one message. The browser closes it when something else is touched. */
export const MessageMenu = ({ message, point, actions, onClose }: Props) => {
  const element = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const menu = element.current
    if (menu === null) return
    menu.showPopover()
    place(menu, point)
    menu.querySelector<HTMLElement>('[role=menuitem]')?.focus()
  }, [message, point])
  return (
    <div
      ref={element}
      popover="auto"
      role="menu"
      tabIndex={-1}
      aria-label="Message actions"
      class="menu"
      onToggle={(event) => {
        if (event.newState === 'closed') onClose(false)
      }}
      onKeyDown={(event) => {
        const { key, currentTarget } = event
        const next = itemAt(currentTarget, key)
        if (key === 'Escape' || key === 'Tab') onClose(false)
        else if (next !== undefined) next.focus()
        else return
        event.preventDefault()
      }}
    >
      {itemsFor(message, actions).map(({ label, Icon, act }) => (
        <button
          key={label}
          type="button"
          role="menuitem"
          tabIndex={-1}
          class="menu-item"
          onClick={() => {
            onClose(true)
            act(message)
          }}
        >
          <Icon />
          {label}
        </button>
      ))}
    </div>
  )
}
