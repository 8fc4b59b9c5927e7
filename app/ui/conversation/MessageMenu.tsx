import type { ComponentType } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { MessageView } from '../../models/messages-model.ts'
import { CopyIcon, DeleteIcon, EditIcon, ReplyIcon } from '../parts/icons.tsx'
import type { MessageActions } from './Bubble.tsx'
import type { Point } from './use-long-press.ts'

export interface OpenMenu {
  readonly message: MessageView
  /** Where it opens, in the window. */
  readonly point: Point
}

export interface MessageMenuProps extends OpenMenu {
  readonly actions: MessageActions
  readonly onClose: () => void
  /** Something was chosen, which decides where the focus goes. */
  readonly onChosen: () => void
}

interface Item {
  readonly label: string
  readonly Icon: ComponentType
  readonly act: (message: MessageView) => void
}

const itemsFor = ({ text, mine, deleted }: MessageView, actions: MessageActions): readonly Item[] => [
  ...(deleted ? [] : [{ label: 'Reply', Icon: ReplyIcon, act: actions.answer }]),
  ...(text === undefined ? [] : [{ label: 'Copy text', Icon: CopyIcon, act: actions.copy }]),
  ...(mine && text !== undefined ? [{ label: 'Edit', Icon: EditIcon, act: actions.edit }] : []),
  { label: 'Delete…', Icon: DeleteIcon, act: actions.remove },
]

/** The ones people use most. */
const quickEmojis = ['👍', '❤️', '😂', '😮', '😢', '🙏']

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

const steps: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowRight: 1,
  ArrowUp: -1,
  ArrowLeft: -1,
  Home: -Infinity,
  End: Infinity,
}

/** The item `key` leads to from the focused one; at the ends it goes round. */
const itemAt = (menu: HTMLElement, key: string): HTMLElement | undefined => {
  const step = steps[key]
  if (step === undefined) return undefined
  const items = [...menu.querySelectorAll<HTMLElement>('[role^=menuitem]')]
  if (!Number.isFinite(step)) return items.at(step > 0 ? -1 : 0)
  const now = items.findIndex((item) => item === menu.ownerDocument.activeElement)
  return items.at((now + step) % items.length)
}

const Emojis = ({ message, actions, onClose }: Pick<MessageMenuProps, 'message' | 'actions' | 'onClose'>) => (
  <div class="menu-emojis" role="group" aria-label="React">
    {quickEmojis.map((emoji) => (
      <button
        key={emoji}
        type="button"
        role="menuitemcheckbox"
        aria-checked={message.reactions?.mine === emoji}
        tabIndex={-1}
        class="menu-emoji"
        onClick={() => {
          onClose()
          actions.react(message, emoji)
        }}
      >
        {emoji}
      </button>
    ))}
  </div>
)

/**
 * What can be done with one message. It closes when something else is touched, by itself: the browser would also close it when
 * the finger is lifted whose rest has opened it.
 */
export const MessageMenu = ({ message, point, actions, onClose, onChosen }: MessageMenuProps) => {
  const element = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const menu = element.current
    if (menu === null) return undefined
    menu.showPopover()
    place(menu, point)
    menu.querySelector<HTMLElement>('.menu-item')?.focus()
    const onPress = ({ target }: PointerEvent) => {
      if (!(target instanceof Node && menu.contains(target))) onClose()
    }
    const page = menu.ownerDocument
    page.addEventListener('pointerdown', onPress, { capture: true })
    // What it belongs to stands elsewhere then.
    addEventListener('resize', onClose)
    return () => {
      page.removeEventListener('pointerdown', onPress, { capture: true })
      removeEventListener('resize', onClose)
    }
  }, [message, point])
  return (
    <div
      ref={element}
      popover="manual"
      role="menu"
      tabIndex={-1}
      aria-label="Message actions"
      class="menu"
      onKeyDown={(event) => {
        const { key, currentTarget } = event
        const next = itemAt(currentTarget, key)
        if (key === 'Escape' || key === 'Tab') onClose()
        else if (next !== undefined) next.focus()
        else return
        event.preventDefault()
      }}
    >
      {!message.deleted && <Emojis message={message} actions={actions} onClose={onClose} />}
      {itemsFor(message, actions).map(({ label, Icon, act }) => (
        <button
          key={label}
          type="button"
          role="menuitem"
          tabIndex={-1}
          class="menu-item"
          onClick={() => {
            onChosen()
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
