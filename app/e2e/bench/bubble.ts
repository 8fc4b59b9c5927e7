import type { Page } from '@playwright/test'
import type { Person } from '../harness/person.ts'

/** Watches Enter and the list from inside the page, so that the tool's own way to the browser is not measured. */
const watch = (page: Page, text: string): Promise<void> =>
  page.evaluate((wanted) => {
    const measured = window as unknown as { bubble: Promise<number> }
    measured.bubble = new Promise((resolve) => {
      let enteredMs = 0
      const onKey = (event: KeyboardEvent): void => {
        if (event.key === 'Enter') enteredMs = event.timeStamp
      }
      addEventListener('keydown', onKey, { capture: true, once: true })
      const observer = new MutationObserver(() => {
        const items = document.querySelectorAll('[aria-posinset]')
        const last = items[items.length - 1]
        if (last?.textContent?.includes(wanted) !== true) return
        observer.disconnect()
        // The first task after the next frame's callbacks: by then that frame has been laid out and painted.
        requestAnimationFrame(() => {
          const { port1, port2 } = new MessageChannel()
          port1.addEventListener('message', () => resolve(performance.now() - enteredMs))
          port1.start()
          port2.postMessage(null)
        })
      })
      observer.observe(document.body, { childList: true, subtree: true, characterData: true })
    })
  }, text)

/**
 * Milliseconds from Enter to the frame that shows the bubble, one per message sent. Nobody writes the next message while the
 * last one is still being delivered, so neither does this.
 */
export const bubbleLatencies = async (person: Person, count: number): Promise<number[]> => {
  const latencies: number[] = []
  for (let index = 0; index < count; index++) {
    const text = `bubble ${index} ${'words '.repeat(8)}end`
    await person.composer.fill(text)
    await watch(person.page, text)
    await person.page.keyboard.press('Enter')
    latencies.push(await person.page.evaluate(() => (window as unknown as { bubble: Promise<number> }).bubble))
    await person.expectStatus(text, 'Delivered', 'Read')
  }
  return latencies
}
