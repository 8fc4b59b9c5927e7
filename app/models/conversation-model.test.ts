import { signal } from '@preact/signals'
import { describe, expect, it } from 'vitest'
import { ConversationModel } from './conversation-model.ts'
import { conversation, createFixtureEngine, history, readyState } from './engine.fixture.ts'

const openWith = async (count: number, unread: number) => {
  const engine = createFixtureEngine(readyState([]), history(count, Date.UTC(2026, 4, 5, 12)))
  const view = signal(conversation({ messages: count, unread }))
  const visible = signal(true)
  const model = new ConversationModel(engine, view, { visible, copy: () => Promise.resolve() })
  await model.open()
  return { engine, view, visible, model }
}

describe('ConversationModel', () => {
  it('counts nothing as read that was not in sight', async () => {
    const { engine, model } = await openWith(10, 5)
    expect(engine.read.size).toBe(0)
    model.lookedAt(6)
    // Position 6 is the newest message of the other side up to there.
    expect(engine.read.get('c0')).toBe(6)
  })

  it('counts nothing as read while the tab is hidden, and catches up when it comes into view', async () => {
    const { engine, visible, model } = await openWith(10, 5)
    visible.value = false
    model.lookedAt(10)
    expect(engine.read.size).toBe(0)
    visible.value = true
    expect(engine.read.get('c0')).toBe(8)
  })

  it('marks a late arrival that stands above what was read before', async () => {
    const { engine, view, model } = await openWith(10, 5)
    model.lookedAt(10)
    view.value = { ...view.value, unread: 0 }
    engine.read.clear()
    const [late] = history(1, 0)
    if (late === undefined) throw new Error('no message')
    model.apply({ ...late, messageId: 'late', position: 2.5 }, true)
    view.value = { ...view.value, unread: 1 }
    expect(engine.read.get('c0')).toBe(8)
  })

  it('finds where the new messages begin, further back than the first page', async () => {
    const { model } = await openWith(500, 150)
    const first = model.messages.messages.value.find(({ messageId }) => messageId === model.firstUnreadId.value)
    const incoming = history(500, 0).filter(({ mine }) => !mine)
    expect(first?.position).toBe(incoming.at(-150)?.position)
  })

  it('announces what arrives, and nothing of one’s own', async () => {
    const { model } = await openWith(1, 0)
    const [message] = history(1, 0)
    if (message === undefined) throw new Error('no message')
    model.apply({ ...message, mine: true, messageId: 'own' }, true)
    expect(model.announcement.value).toBeNull()
    model.apply({ ...message, mine: false, messageId: 'theirs' }, true)
    expect(model.announcement.value?.messageId).toBe('theirs')
  })
})
