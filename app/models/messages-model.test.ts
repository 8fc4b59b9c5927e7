import { describe, expect, it, vi } from 'vitest'
import { createFixtureEngine, history, readyState } from './engine.fixture.ts'
import { MessagesModel, withMessage, type MessageView } from './messages-model.ts'

const endMs = Date.UTC(2026, 4, 5, 12)
const engineWith = (count: number) => createFixtureEngine(readyState([]), history(count, endMs))
const ids = (messages: readonly MessageView[]) => messages.map(({ position }) => position)

describe('withMessage', () => {
  const [one, two, three] = history(3, endMs) as [MessageView, MessageView, MessageView]

  it('puts a late arrival where it belongs', () => {
    expect(withMessage([one, three], two)).toEqual([one, two, three])
  })

  it('replaces a message that changed, and moves one whose position changed', () => {
    const delivered = { ...two, status: 'delivered' } as const
    expect(withMessage([one, two, three], delivered)).toEqual([one, delivered, three])
    expect(ids(withMessage([one, two, three], { ...one, position: 9 }))).toEqual([2, 3, 9])
  })
})

describe('MessagesModel', () => {
  it('loads the newest page, then older ones in front of it, until the first message', async () => {
    const model = new MessagesModel(engineWith(300), 'c0')
    await model.load()
    expect(ids(model.messages.value)).toEqual(Array.from({ length: 60 }, (_, i) => 241 + i))
    expect(model.complete.value).toBe(false)
    await model.loadOlder()
    await model.loadOlder()
    expect(ids(model.messages.value)).toEqual(Array.from({ length: 300 }, (_, i) => 1 + i))
    expect(model.complete.value).toBe(true)
  })

  it('keeps what is committed while a page is being read', async () => {
    const engine = engineWith(10)
    const gate = Promise.withResolvers<void>()
    engine.gate = gate.promise
    const model = new MessagesModel(engine, 'c0')
    const loading = model.load()
    const [known] = history(10, endMs).slice(4)
    const late = { ...known, messageId: 'late', position: 99, text: 'late' } as MessageView
    model.apply(late)
    model.apply({ ...known, text: 'changed' } as MessageView)
    gate.resolve()
    await loading
    expect(ids(model.messages.value)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99])
    expect(model.messages.value[4]?.text).toBe('changed')
  })

  it('does not tear a gap into the list for a change to a message that is not loaded', async () => {
    const model = new MessagesModel(engineWith(300), 'c0')
    await model.load()
    model.apply(history(300, endMs)[5] as MessageView)
    expect(model.messages.value[0]?.position).toBe(241)
  })

  it('reads one page at a time', async () => {
    const model = new MessagesModel(engineWith(300), 'c0')
    await model.load()
    await Promise.all([model.loadOlder(), model.loadOlder()])
    expect(model.messages.value.length).toBe(260)
  })

  it('finds what is referred to, loaded or not, and knows what is not here', async () => {
    const model = new MessagesModel(engineWith(300), 'c0')
    await model.load()
    expect(model.referred('m299')).toMatchObject({ position: 300 })
    expect(model.referred('m3')).toBeUndefined()
    expect(model.referred('nobody')).toBeUndefined()
    await vi.waitFor(() => expect(model.referred('m3')).toMatchObject({ position: 4 }))
    await vi.waitFor(() => expect(model.referred('nobody')).toBeNull())
  })

  it('reaches what lies further up, also while a page is being read', async () => {
    const engine = engineWith(900)
    const model = new MessagesModel(engine, 'c0')
    await model.load()
    const scrolling = model.loadOlder()
    expect(await model.reach('m100')).toBe(true)
    await scrolling
    expect(ids(model.messages.value)).toEqual(Array.from({ length: 860 }, (_, i) => 41 + i))
    expect(await model.reach('nobody')).toBe(false)
    expect(model.messages.value).toHaveLength(860)
  })

  it('remembers what was unfolded', () => {
    const model = new MessagesModel(engineWith(1), 'c0')
    expect(model.isUnfolded('m0')).toBe(false)
    model.unfold('m0')
    expect(model.isUnfolded('m0')).toBe(true)
  })
})
