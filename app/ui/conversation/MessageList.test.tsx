import { describe, expect, it, vi } from 'vitest'
import { page } from 'vitest/browser'
import { conversation, history, readyState } from '../../models/engine.fixture.ts'
import { showApp } from '../page.fixture.ts'

/** The most rows that may exist at once, whatever the history's length. */
const maxRows = 100

const open = async (count: number, unread = 0) => {
  await page.viewport(1280, 800)
  const shown = await showApp(readyState([conversation({ messages: count, unread })]), history(count, Date.now()))
  shown.app.openConversation('c0')
  await vi.waitFor(() => expect(shown.root.querySelector('.scroller li')).not.toBeNull())
  const scroller = shown.root.querySelector<HTMLElement>('.scroller')
  if (scroller === null) throw new Error('no list')
  const rows = () => [...scroller.querySelectorAll<HTMLElement>('li')]
  const row = (text: string) =>
    rows().find((candidate) => candidate.querySelector('.bubble-text')?.textContent === text)
  return { ...shown, scroller, rows, row }
}

type Opened = Awaited<ReturnType<typeof open>>

const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))

const fromEnd = ({ scroller }: Opened) => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight

/** Scrolls up by screens until nothing above is left to load. */
const scrollToStart = async (opened: Opened, eachFrame: () => void = () => undefined) => {
  for (
    let step = 0;
    step < 3_000 && !opened.row('message 1 with a second thought that takes a little more room than the others do');
    step++
  ) {
    opened.scroller.scrollTop -= 1_500
    await frame()
    eachFrame()
  }
}

describe('MessageList', () => {
  it('begins at the newest message, with few rows', async () => {
    const opened = await open(10_000)
    await vi.waitFor(() => expect(opened.row('message 10000')).toBeDefined())
    expect(fromEnd(opened)).toBeLessThanOrEqual(1)
    expect(opened.rows().length).toBeLessThanOrEqual(maxRows)
    expect(opened.row('message 10000')?.ariaPosInSet).toBe('10000')
    expect(opened.row('message 10000')?.ariaSetSize).toBe('10000')
  })

  it('scrolls through 10,000 messages to the first without ever holding many rows', async () => {
    const opened = await open(10_000)
    let most = 0
    await scrollToStart(opened, () => (most = Math.max(most, opened.rows().length)))
    expect(opened.rows()[0]?.ariaPosInSet).toBe('1')
    expect(most).toBeLessThanOrEqual(maxRows)
  }, 60_000)

  it('keeps what is in sight in its place while older messages are put in front', async () => {
    const opened = await open(1_000)
    const before = opened.app.conversation.value?.messages.messages.value.length ?? 0
    opened.scroller.scrollTop = 200
    await frame()
    await frame()
    const anchor = opened.rows().find((row) => row.getBoundingClientRect().top > 150)
    const [id, top] = [anchor?.ariaPosInSet, anchor?.getBoundingClientRect().top ?? 0]
    await vi.waitFor(() =>
      expect(opened.app.conversation.value?.messages.messages.value.length).toBeGreaterThan(before),
    )
    await frame()
    await frame()
    const again = opened.rows().find((row) => row.ariaPosInSet === id)
    expect(Math.abs((again?.getBoundingClientRect().top ?? Infinity) - top)).toBeLessThanOrEqual(2)
  })

  it('follows what arrives at the end, and stays put for somebody who reads further up', async () => {
    const opened = await open(300)
    opened.engine.commit({ text: 'first arrival' })
    await vi.waitFor(() => expect(opened.row('first arrival')).toBeDefined())
    await vi.waitFor(() => expect(fromEnd(opened)).toBeLessThanOrEqual(1))
    opened.scroller.scrollTop -= 2_000
    await frame()
    await frame()
    const top = opened.scroller.scrollTop
    opened.engine.commit({ text: 'second arrival' })
    await frame()
    await frame()
    expect(Math.abs(opened.scroller.scrollTop - top)).toBeLessThanOrEqual(2)
    expect(opened.row('second arrival')).toBeUndefined()
    await page.getByRole('button', { name: 'Jump to latest' }).click()
    await vi.waitFor(() => expect(opened.row('second arrival')).toBeDefined())
    await vi.waitFor(() => expect(opened.root.querySelector('.pill-bottom')).toBeNull())
  })

  it('shows what one writes, wherever one was', async () => {
    const opened = await open(300)
    opened.scroller.scrollTop -= 2_000
    await frame()
    opened.app.conversation.value?.composer.edit('my own')
    opened.app.conversation.value?.composer.send()
    await vi.waitFor(() => expect(opened.row('my own')).toBeDefined())
    await vi.waitFor(() => expect(fromEnd(opened)).toBeLessThanOrEqual(1))
  })

  it('keeps the end in sight while the field below grows', async () => {
    const opened = await open(300)
    await page.getByRole('textbox', { name: 'Message' }).fill('line\n'.repeat(8))
    await vi.waitFor(() => expect(fromEnd(opened)).toBeLessThanOrEqual(1))
    expect(opened.row('message 300')).toBeDefined()
  })

  it('marks as read what was in sight, and not what lies below', async () => {
    const opened = await open(300, 100)
    await vi.waitFor(() => expect(opened.engine.read.get('c0')).toBe(298))
    opened.scroller.scrollTop -= 3_000
    await frame()
    await frame()
    opened.engine.read.clear()
    opened.engine.commit({ text: 'below' })
    opened.engine.emit({ kind: 'conversation', conversation: conversation({ messages: 301, unread: 1 }) })
    await frame()
    await frame()
    expect(opened.engine.read.get('c0')).not.toBe(301)
    await page.getByRole('button', { name: /1 new/ }).click()
    await vi.waitFor(() => expect(opened.engine.read.get('c0')).toBe(301))
  })

  it('leads to the first new message when it is further up', async () => {
    const opened = await open(300, 100)
    await page.getByRole('button', { name: 'First new message' }).click()
    await vi.waitFor(() => expect(opened.root.querySelector('.new-mark')).not.toBeNull())
    const firstNew = history(300, 0)
      .filter(({ mine }) => !mine)
      .at(-100)
    const marked = opened.root.querySelector('.new-mark')?.closest('li')
    expect(marked?.querySelector('.bubble-text')?.textContent).toBe(firstNew?.text)
  })

  it('shows markup as the text it is, and says how far a message came', async () => {
    const opened = await open(1)
    const markup = '<img src=x onerror="window.ran = true"><script>window.ran = true</script><b>bold</b>'
    opened.engine.commit({ text: markup, mine: true, status: 'waiting' })
    await vi.waitFor(() => expect(opened.row(markup)).toBeDefined())
    expect(opened.root.querySelector('img, script, b')).toBeNull()
    expect('ran' in window).toBe(false)
    const item = page.getByRole('list', { name: 'Messages' }).getByRole('listitem').nth(1)
    await expect.element(item).toHaveAccessibleDescription('Waiting')
    const message = opened.app.conversation.value?.messages.messages.value[1]
    if (message === undefined) throw new Error('no message')
    for (const [status, word] of [
      ['sent', 'Sent'],
      ['delivered', 'Delivered'],
      ['read', 'Read'],
    ] as const) {
      opened.engine.emit({ kind: 'message', message: { ...message, status }, isNew: false })
      await expect.element(item).toHaveAccessibleDescription(word)
    }
  })
})
