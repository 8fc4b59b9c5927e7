import { expect, type Locator, type Page } from '@playwright/test'

/** One row of the list, as assistive technology reads it. */
export interface SeenMessage {
  /** 1-based place in the whole conversation (aria-posinset). */
  readonly place: number
  readonly text: string
  /** Accessible description: holds the status word of own messages. */
  readonly description: string
}

export const messageList = (page: Page): Locator => page.getByRole('list', { name: 'Messages' })

/** The rows that are in the document now; the list is windowed, so these are some of them. */
const visibleMessages = (page: Page): Promise<SeenMessage[]> =>
  messageList(page).evaluate((list) => {
    const describe = (item: Element): string =>
      item.getAttribute('aria-description') ??
      (item.getAttribute('aria-describedby') ?? '')
        .split(/\s+/)
        .map((id) => (id === '' ? '' : (document.getElementById(id)?.textContent ?? '')))
        .join(' ')
    return [...list.querySelectorAll<HTMLElement>('li[aria-posinset], [role=listitem][aria-posinset]')].map((item) => ({
      place: Number(item.getAttribute('aria-posinset')),
      text: item.innerText,
      description: describe(item),
    }))
  })

/**
 * Resolves when a bubble holds the text; rejects after `withinMs`. The page says so by itself: to ask it at each frame would be most
 * of its work where many messages come.
 */
export const untilShown = (page: Page, wanted: string, withinMs: number): Promise<void> =>
  page.evaluate(
    ([text, ms]) =>
      new Promise<void>((resolve, reject) => {
        const look = (): void => {
          const bubbles = [...document.querySelectorAll('[aria-label="Messages"] [aria-posinset]')]
          if (bubbles.some((bubble) => bubble.textContent.includes(text))) end(resolve)
        }
        const observer = new MutationObserver(look)
        const timer = setTimeout(() => end(() => reject(new Error(`“${text}” is not shown within ${ms} ms`))), ms)
        const end = (settle: () => void): void => {
          observer.disconnect()
          clearTimeout(timer)
          settle()
        }
        observer.observe(document.body, { childList: true, subtree: true, characterData: true })
        look()
      }),
    [wanted, withinMs] as const,
  )

/** Scrolls whatever scrolls the list: to its start, or on by most of a screen. True when it moved. */
const scroll = (page: Page, to: 'start' | 'on'): Promise<boolean> =>
  messageList(page).evaluate((list, where) => {
    let box: Element | null = list
    while (
      box !== null &&
      !(box.scrollHeight > box.clientHeight && /auto|scroll/.test(getComputedStyle(box).overflowY))
    ) {
      box = box.parentElement
    }
    if (box === null) return false
    const before = box.scrollTop
    box.scrollTop = where === 'start' ? 0 : before + box.clientHeight * 0.7
    return Math.abs(box.scrollTop - before) >= 1
  }, to)

/** 10 min: ten thousand rows are some hundreds of screens, each waited for. */
const readWithinMs = 600_000

/** Two frames: the window follows a scroll within them, and older rows arrive from the store soon after. */
const settle = (page: Page): Promise<void> =>
  page.evaluate(() => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))))

/** Reads a whole conversation by scrolling through it: every row once, in display order. */
export const readConversation = async (page: Page): Promise<SeenMessage[]> => {
  const empty = page.getByRole('heading', { name: /^Say hello/ })
  await expect(messageList(page).or(empty)).toBeVisible({ timeout: 60_000 })
  if (await empty.isVisible()) return []
  const seen = new Map<number, SeenMessage>()
  const collect = async (): Promise<void> => {
    for (const message of await visibleMessages(page)) seen.set(message.place, message)
  }
  const deadline = Date.now() + readWithinMs
  const overdue = (): void => {
    if (Date.now() > deadline) throw new Error(`the conversation could not be read; rows seen: ${seen.size}`)
  }
  for (let atStart = false; !atStart; overdue()) {
    const moved = await scroll(page, 'start')
    await settle(page)
    atStart = !moved && (await visibleMessages(page)).some(({ place }) => place === 1)
    if ((await visibleMessages(page)).length === 0 && !moved) break
  }
  await collect()
  for (let stillFrames = 0; stillFrames < 5; overdue()) {
    const moved = await scroll(page, 'on')
    await settle(page)
    await collect()
    stillFrames = moved ? 0 : stillFrames + 1
  }
  return [...seen.values()].toSorted((a, b) => a.place - b.place)
}
