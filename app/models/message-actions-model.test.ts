import { describe, expect, it, vi } from 'vitest'
import { createFixtureEngine, history, readyState } from './engine.fixture.ts'
import { MessageActionsModel } from './message-actions-model.ts'

const actionsWith = (copy: (text: string) => Promise<void> = () => Promise.resolve()) => {
  const messages = history(5, Date.UTC(2026, 4, 5, 12))
  const engine = createFixtureEngine(readyState([]), messages)
  const actions = new MessageActionsModel(engine, 'c0', { copy })
  const [message] = messages
  if (message === undefined) throw new Error('no message')
  return { engine, actions, message, there: () => engine.message('c0', message.messageId) }
}

const problem = { code: 'storage-full', message: 'The disk is full. Make room and try again.' } as const

describe('MessageActionsModel', () => {
  it('puts an emoji at a message, and takes the same one back', async () => {
    const { actions, message, there } = actionsWith()
    await actions.react(message, '👍')
    expect((await there())?.reactions).toEqual({ mine: '👍' })
    await actions.react({ ...message, reactions: { mine: '👍' } }, '👍')
    expect((await there())?.reactions).toEqual({})
  })

  it('says why something could not be done, for a moment', async () => {
    vi.useFakeTimers()
    const { actions, engine, message } = actionsWith(() => Promise.reject(new Error('refused')))
    engine.failNext = problem
    await actions.react(message, '👍')
    expect(actions.said.value).toBe(problem.message)
    await actions.copyText(message)
    expect(actions.said.value).toContain('refused')
    vi.advanceTimersByTime(2_500)
    expect(actions.said.value).toBeNull()
    vi.useRealTimers()
  })

  it.each([
    ['here', undefined],
    ['everywhere', true],
  ] as const)('deletes what was asked about %s, once', async (where, deleted) => {
    const { actions, engine, message, there } = actionsWith()
    await actions.deleteAsked(where)
    expect(await there()).toEqual(message)
    actions.askDelete(message)
    expect(actions.asked.value).toEqual({ kind: 'delete', message })
    await actions.deleteAsked(where)
    expect(actions.asked.value).toBeNull()
    expect((await there())?.deleted).toBe(deleted)
    actions.askDelete(message)
    actions.close()
    engine.failNext = problem
    await actions.deleteAsked(where)
    expect(engine.failNext).toBe(problem)
  })

  it('shows what a message said before, and nothing that comes too late', async () => {
    const { actions, engine, message } = actionsWith()
    engine.earlier = [{ text: 'before', sentAtMs: 1 }]
    const shown = actions.showEarlier(message)
    expect(actions.asked.value).toEqual({ kind: 'earlier', message, texts: null })
    await shown
    expect(actions.asked.value).toEqual({ kind: 'earlier', message, texts: engine.earlier })
    const late = actions.showEarlier(message)
    actions.close()
    await late
    expect(actions.asked.value).toBeNull()
  })
})
