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

/** One tab: real locks, a real channel. `stubborn` never finishes letting go; `deaf` does not hear the others. */
const openTab = (name: string, { stubborn = false, deaf = false } = {}) => {
  const channel = new BroadcastChannel(name)
  const events: string[] = []
  release.push(() => channel.close())
  const leadership = new TabLeadership({
    locks: locksOf(name),
    channel: {
      post: (message) => channel.postMessage(message),
      onMessage: (listener) => {
        if (!deaf) channel.addEventListener('message', ({ data }: MessageEvent<TabMessage>) => listener(data))
      },
    },
    tabId: crypto.randomUUID(),
    lead: () => events.push('lead'),
    letGo: () => {
      events.push('let go')
      return stubborn ? new Promise<void>(() => undefined) : Promise.resolve()
    },
  })
  return { leadership, events, state: () => leadership.state.value }
}

const openTwo = async (first: Parameters<typeof openTab>[1] = {}) => {
  const name = `tabs-${(run += 1)}`
  const a = openTab(name, first)
  void a.leadership.start()
  await vi.waitFor(() => expect(a.state()).toBe('leading'))
  const b = openTab(name)
  await b.leadership.start()
  return { a, b }
}

afterEach(() => {
  for (const close of release.splice(0)) close()
})

describe('TabLeadership', () => {
  it('lets one tab lead', async () => {
    const { a, b } = await openTwo()
    expect([a.state(), b.state()]).toEqual(['leading', 'elsewhere'])
    expect(b.events).toEqual([])
  })

  it('hands over, and back', async () => {
    const { a, b } = await openTwo()
    void b.leadership.take()
    await vi.waitFor(() => expect([a.state(), b.state()]).toEqual(['elsewhere', 'leading']))
    expect(a.events).toEqual(['lead', 'let go'])
    void a.leadership.take()
    await vi.waitFor(() => expect([a.state(), b.state()]).toEqual(['leading', 'elsewhere']))
    expect(b.events).toEqual(['lead', 'let go'])
  })

  it('does not wait for ever for a tab that cannot let go', async () => {
    const { a, b } = await openTwo({ stubborn: true })
    void b.leadership.take()
    await vi.waitFor(() => expect(b.state()).toBe('leading'), { timeout: 2_000 })
    expect(a.state()).toBe('elsewhere')
  })

  it('takes the lead from a tab that does not answer, within two seconds', async () => {
    const { a, b } = await openTwo({ deaf: true })
    void b.leadership.take()
    await vi.waitFor(() => expect(b.state()).toBe('leading'), { timeout: 2_000 })
    await vi.waitFor(() => expect(a.state()).toBe('elsewhere'))
    expect(a.events).toEqual(['lead', 'let go'])
  })
})
