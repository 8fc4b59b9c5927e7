import { describe, expect, it, vi } from 'vitest'
import { page, userEvent } from 'vitest/browser'
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

  it('shows formatting, links with where they lead, and a long message folded until asked for', async () => {
    const opened = await open(1)
    opened.engine.commit({ text: '**bold** and https://user.example/x, then https://аpple.example/' })
    await vi.waitFor(() => expect(opened.root.querySelector('.bubble-text strong')?.textContent).toBe('bold'))
    const links = [...opened.root.querySelectorAll<HTMLAnchorElement>('.bubble-text a')]
    expect(links.map(({ href, textContent }) => [href, textContent])).toEqual([
      ['https://user.example/x', 'https://user.example/x'],
      ['https://xn--pple-43d.example/', 'https://xn--pple-43d.example/'],
    ])
    for (const link of links) expect([link.target, link.rel]).toEqual(['_blank', 'noopener noreferrer'])
    opened.engine.commit({ text: `${'word '.repeat(2_000)}the end` })
    await page.getByRole('button', { name: 'Read on' }).click()
    await vi.waitFor(() => expect(opened.row(`${'word '.repeat(2_000)}the end`)).toBeDefined())
    await expect.element(page.getByRole('button', { name: 'Read on' })).not.toBeInTheDocument()
  })

  it('answers from the menu, quotes what is answered, and leads to it however far up it is', async () => {
    const opened = await open(1_000)
    opened.engine.commit({ text: 'an answer', replyTo: 'm3' })
    const quote = page.getByRole('button', { name: /^In answer to/ })
    await expect.element(quote).toHaveTextContent('In answer to Youmessage 4')
    await quote.click()
    await vi.waitFor(() => expect(opened.row('message 4')?.classList).toContain('row-sought'))
    const { top, bottom } = opened.row('message 4')?.getBoundingClientRect() ?? { top: -1, bottom: 9e9 }
    const view = opened.scroller.getBoundingClientRect()
    expect(top).toBeGreaterThanOrEqual(view.top)
    expect(bottom).toBeLessThanOrEqual(view.bottom)
    await vi.waitFor(() => expect(document.activeElement).toBe(opened.row('message 4')?.querySelector('.row-menu')))
    await userEvent.keyboard('{Enter}')
    await expect.element(page.getByRole('menuitem', { name: 'Reply' })).toHaveFocus()
    await userEvent.keyboard('{Enter}')
    await expect.element(page.getByRole('textbox', { name: 'Message' })).toHaveFocus()
    expect(opened.app.conversation.value?.composer.replyTo.value).toBe('m3')
    await userEvent.keyboard('{Escape}')
    expect(opened.app.conversation.value?.composer.replyTo.value).toBeNull()
    expect(opened.app.conversation.value).not.toBeNull()
  })

  it('says of an answer to what is not here that it is not', async () => {
    const opened = await open(1)
    opened.engine.commit({ text: 'an answer', replyTo: 'gone' })
    await vi.waitFor(() =>
      expect(opened.root.querySelector('.quote-gone')?.textContent).toBe('A message that is not here'),
    )
    expect(opened.root.querySelector('button.quote')).toBeNull()
  })

  it('leads the keyboard from message to message, through the menu and back, and never loses it', async () => {
    const opened = await open(1_000)
    const button = (text: string) => opened.row(text)?.querySelector<HTMLElement>('.row-menu')
    await vi.waitFor(() => expect(button('message 1000')?.tabIndex).toBe(0))
    expect(opened.root.querySelectorAll('.row-menu[tabindex="0"]')).toHaveLength(1)
    button('message 1000')?.focus()
    for (let step = 0; step < 60; step++) await userEvent.keyboard('{ArrowUp}')
    await vi.waitFor(() => expect(document.activeElement).toBe(button('message 940')))
    await userEvent.keyboard('{Enter}{ArrowDown}')
    await expect.element(page.getByRole('menuitem', { name: 'Copy text' })).toHaveFocus()
    await userEvent.keyboard('{Escape}')
    await vi.waitFor(() => expect(document.activeElement).toBe(button('message 940')))
    expect(opened.app.conversation.value).not.toBeNull()
    await userEvent.keyboard('{Enter}{ArrowDown}{Enter}')
    await vi.waitFor(() => expect(opened.world.copied).toEqual(['message 940']))
    await expect.element(page.getByText('Copied')).toBeVisible()
    button('message 940')?.focus()
    opened.scroller.scrollTop = 0
    await vi.waitFor(() => expect(button('message 940')).toBeUndefined())
    expect(opened.root.contains(document.activeElement)).toBe(true)
    expect(document.activeElement).not.toBe(document.body)
  })

  it('opens the menu with a right click, and where a finger rests', async () => {
    const opened = await open(3)
    await page.getByText('message 2', { exact: true }).click({ button: 'right' })
    await expect.element(page.getByRole('menu')).toBeVisible()
    await userEvent.keyboard('{Escape}')
    const line = opened.row('message 3')?.querySelector('.bubble-line')
    const touch = { bubbles: true, pointerType: 'touch', isPrimary: true, clientX: 100, clientY: 100 }
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    line?.dispatchEvent(new PointerEvent('pointerdown', touch))
    line?.dispatchEvent(new PointerEvent('pointermove', { ...touch, clientY: 160 }))
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
    expect(opened.root.querySelector('[role=menu]')).toBeNull()
    line?.dispatchEvent(new PointerEvent('pointerdown', touch))
    await expect.element(page.getByRole('menu')).toBeVisible()
  })
})
