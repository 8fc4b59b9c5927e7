import type { Person } from './person.ts'

/** Fills a conversation with `history 0: …`, `history 1: …` from inside the page, as fast as the composer takes messages. */
export const writeHistory = async (
  person: Person,
  count: number,
  progress: (written: number) => void,
): Promise<void> => {
  for (let written = 0; written < count; written += 500) {
    await person.composer.evaluate(
      async (box: HTMLTextAreaElement | HTMLInputElement, [from, until]) => {
        const set = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(box), 'value')?.set
        for (let index = from; index < until; index++) {
          set?.call(box, `history ${index}: ${'what people say to each other '.repeat(1 + (index % 4))}`)
          box.dispatchEvent(new InputEvent('input', { bubbles: true }))
          box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }))
          while (box.value !== '') await new Promise((resolve) => requestAnimationFrame(resolve))
        }
      },
      [written, Math.min(count, written + 500)] as const,
    )
    progress(Math.min(count, written + 500))
  }
}
