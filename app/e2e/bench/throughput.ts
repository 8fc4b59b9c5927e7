import { untilShown } from '../harness/message-list.ts'
import type { Person } from '../harness/person.ts'

/** 10 messages per turn of the page: faster than anybody types, and the page still gets to its other work. */
const perTurn = 10

/** 10 min: ten thousand messages take two. */
const withinMs = 600_000

/**
 * Messages a second in one conversation, from the first Enter to the last message on the other screen: `count` messages of
 * some 60 characters, entered into the composer one after the other without waiting for a frame.
 */
export const throughput = async (from: Person, to: Person, count: number): Promise<number> => {
  const startedMs = performance.now()
  const written = from.composer.evaluate(
    async (box: HTMLTextAreaElement | HTMLInputElement, [last, turn]) => {
      const set = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), 'value')?.set
      for (let index = 1; index <= last; index++) {
        set?.call(box, `quick ${index}: what people say to each other, day in, day out`)
        box.dispatchEvent(new InputEvent('input', { bubbles: true }))
        box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }))
        if (index % turn === 0) await new Promise((resolve) => setTimeout(resolve))
      }
    },
    [count, perTurn] as const,
  )
  await Promise.all([written, untilShown(to.page, `quick ${count}:`, withinMs)])
  return (count * 1_000) / (performance.now() - startedMs)
}
