import { afterEach, describe, expect, it, vi } from 'vitest'
import { TabLeadership, type TabMessage } from './tab-leadership.ts'

const release: (() => void)[] = []
let run = 0

/** The browser's own locks under a name of their own, so that tests do not disturb each other. */
const locksOf = (name: string): LockManager =>
  ({
    request: (_: string, options: LockOptions, callback: LockGrantedCallback<unknown>) =>
      navigator.locks.request(name, options, callback),
  }) as unknown as LockManager

/** One tab: real locks, a real channel. `stopped` neither hears the others nor finishes anything, as a frozen page. */
const openTab = (name: string, { stopped = false } = {}) => {
  const channel = new BroadcastChannel(name)
  const events: string[] = []
  release.push(() => channel.close())
  const leadership = new TabLeadership({
    locks: locksOf(name),
    channel: {
      post: (message) => channel.postMessage(message),
      onMessage: (listener) => {
        if (!stopped) channel.addEventListener('message', ({ data }: MessageEvent<TabMessage>) => listener(data))
      },
    },
    tabId: crypto.randomUUID(),
    lead: async () => void events.push('lead'),
    letGo: () => {
      events.push('let go')
      return stopped ? new Promise<void>(() => undefined) : Promise.resolve()
    },
  })
  return { leadership, events, leads: () => leadership.leading.value }
}

const openTwo = async (first: Parameters<typeof openTab>[1] = {}) => {
  const name = `tabs-${(run += 1)}`
  const a = openTab(name, first)
  a.leadership.start()
  await vi.waitFor(() => expect(a.leads()).toBe(true))
  const b = openTab(name)
  b.leadership.start()
  return { a, b, name }
}

afterEach(() => {
  for (const close of release.splice(0)) close()
})

describe('TabLeadership', () => {
  it('lets one tab lead, and leaves a living one alone', async () => {
    const { a, b } = await openTwo()
    await b.leadership.check()
    expect([a.leads(), b.leads()]).toEqual([true, false])
    expect([a.events, b.events]).toEqual([['lead'], []])
  })

  it('hands over when asked, and back', async () => {
    const { a, b } = await openTwo()
    await b.leadership.take()
    expect([a.leads(), b.leads()]).toEqual([false, true])
    expect([a.events, b.events]).toEqual([['lead', 'let go'], ['lead']])
    await a.leadership.take()
    expect([a.leads(), b.leads()]).toEqual([true, false])
    expect(b.events).toEqual(['lead', 'let go'])
    await a.leadership.take()
    expect(a.events).toEqual(['lead', 'let go', 'lead'])
  })

  it('takes the lead from a tab that is stopped, at the first check', async () => {
    const { a, b } = await openTwo({ stopped: true })
    await b.leadership.check()
    await vi.waitFor(() => expect(b.events).toEqual(['lead']))
    // Robbed, it lets go when it wakes.
    await vi.waitFor(() => expect([a.leads(), a.events]).toEqual([false, ['lead', 'let go']]))
  })

  it('lets the next one lead when the store says that another tab does', async () => {
    const { a, b } = await openTwo()
    a.leadership.superseded()
    await vi.waitFor(() => expect([a.leads(), b.leads()]).toEqual([false, true]))
    b.leadership.superseded()
    await vi.waitFor(() => expect([a.leads(), b.leads()]).toEqual([true, false]))
  })

  it('ends with one leader when several tabs want the lead at once', async () => {
    const { a, b, name } = await openTwo()
    const c = openTab(name)
    c.leadership.start()
    await Promise.all([b.leadership.take(), c.leadership.take()])
    await vi.waitFor(() => expect([a, b, c].filter((tab) => tab.leads())).toHaveLength(1))
    for (const { events, leads } of [a, b, c]) expect(events.at(-1)).toBe(leads() ? 'lead' : 'let go')
  })
})
