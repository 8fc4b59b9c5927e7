import { describe, expect, it, vi } from 'vitest'
import { maxTextBytes } from '../../protocol/wire/limits.ts'
import { ComposerModel } from './composer-model.ts'
import { createFixtureEngine, readyState } from './engine.fixture.ts'

const composerWith = (draft = '') => {
  const engine = createFixtureEngine(readyState([]))
  return { engine, composer: new ComposerModel(engine, 'c0', { text: draft }) }
}

const problem = { code: 'storage-full', message: 'The disk is full. Make room and send again.' } as const

describe('ComposerModel', () => {
  it('answers with the next message only, and keeps that with the draft', async () => {
    const { engine, composer } = composerWith()
    composer.answer('m1')
    composer.edit('to that')
    composer.saveDraft()
    expect(engine.draftReplies.get('c0')).toBe('m1')
    composer.send()
    composer.edit('and something else')
    composer.send()
    await vi.waitFor(() => expect(engine.answered).toEqual(['m1', undefined]))
    composer.answer('m2')
    composer.answer(null)
    composer.saveDraft()
    expect(engine.draftReplies.get('c0')).toBeUndefined()
  })

  it('edits a message in the field, and brings back what was being written', async () => {
    const { engine, composer } = composerWith()
    const message = engine.commit({ text: 'typo', mine: true })
    composer.answer('m1')
    composer.edit('half a thought')
    composer.beginEdit(message)
    expect([composer.text.value, composer.replyTo.value, composer.editing.value]).toEqual([
      'typo',
      null,
      message.messageId,
    ])
    composer.edit('no typo')
    composer.saveDraft()
    expect([engine.drafts.get('c0'), engine.draftReplies.get('c0')]).toEqual(['half a thought', 'm1'])
    expect(composer.send()).toBe(true)
    expect([composer.text.value, composer.replyTo.value, composer.editing.value]).toEqual([
      'half a thought',
      'm1',
      null,
    ])
    await vi.waitFor(async () => expect((await engine.message('c0', message.messageId))?.text).toBe('no typo'))
    expect(engine.sent).toEqual([])
    composer.beginEdit(message)
    composer.cancelEdit()
    expect(composer.text.value).toBe('half a thought')
    composer.beginEdit(message)
    composer.answer('m2')
    expect([composer.text.value, composer.replyTo.value, composer.editing.value]).toEqual([
      'half a thought',
      'm2',
      null,
    ])
  })

  it('keeps an edit in the field that could not be stored', async () => {
    const { engine, composer } = composerWith('draft')
    const message = engine.commit({ text: 'typo', mine: true })
    composer.beginEdit(message)
    composer.edit('no typo')
    engine.failNext = problem
    composer.send()
    await vi.waitFor(() => expect(composer.problem.value).toBe(problem.message))
    expect([composer.text.value, composer.editing.value]).toEqual(['no typo', message.messageId])
    composer.cancelEdit()
    expect([composer.text.value, composer.problem.value]).toEqual(['draft', null])
  })

  it('gives back what it answered with the text that could not be stored', async () => {
    const { engine, composer } = composerWith()
    engine.failNext = problem
    composer.answer('m1')
    composer.edit('important')
    composer.send()
    await vi.waitFor(() => expect(composer.text.value).toBe('important'))
    expect(composer.replyTo.value).toBe('m1')
  })

  it('sends in order and empties the field at once', async () => {
    const { engine, composer } = composerWith()
    for (const text of ['one', 'two', 'three']) {
      composer.edit(text)
      expect(composer.send()).toBe(true)
      expect(composer.text.value).toBe('')
    }
    await vi.waitFor(() => expect(engine.sent).toEqual(['one', 'two', 'three']))
  })

  it('gives the text back as it was when it could not be stored', async () => {
    const { engine, composer } = composerWith()
    engine.failNext = problem
    composer.edit('important')
    composer.send()
    await vi.waitFor(() => expect(composer.problem.value).toBe(problem.message))
    expect(composer.text.value).toBe('important')
    expect(engine.drafts.get('c0')).toBe('important')
  })

  it('gives the text back when it could not be stored, in front of what was written since', async () => {
    const { engine, composer } = composerWith()
    engine.failNext = problem
    composer.edit('important')
    composer.send()
    composer.edit('and more')
    await vi.waitFor(() => expect(composer.text.value).toBe('important\nand more'))
    expect(composer.problem.value).toBe(problem.message)
    composer.edit('important')
    expect(composer.problem.value).toBeNull()
  })

  it('says why a message could not be stored rather than that its draft could not, and tries the draft again', async () => {
    const { engine, composer } = composerWith()
    const { saveDraft } = engine
    let tried = 0
    engine.saveDraft = () => {
      tried += 1
      return Promise.reject(new Error('full'))
    }
    engine.failNext = problem
    composer.edit('important')
    composer.send()
    await vi.waitFor(() => expect(tried).toBe(1))
    await vi.waitFor(() => expect(composer.text.value).toBe('important'))
    expect(composer.problem.value).toBe(problem.message)
    engine.saveDraft = saveDraft
    composer.saveDraft()
    expect(engine.drafts.get('c0')).toBe('important')
  })

  it('says so when a draft alone could not be stored', async () => {
    const { engine, composer } = composerWith()
    engine.saveDraft = () => Promise.reject(new Error('full'))
    composer.edit('half a thought')
    composer.saveDraft()
    await vi.waitFor(() => expect(composer.problem.value).toMatch(/draft could not be stored/))
    expect(composer.text.value).toBe('half a thought')
  })

  it('clears the stored draft only after the message is stored', async () => {
    const { engine, composer } = composerWith()
    composer.edit('hello')
    composer.saveDraft()
    expect(engine.drafts.get('c0')).toBe('hello')
    const stored: (string | undefined)[] = []
    const send = engine.send
    engine.send = (...args) => {
      stored.push(engine.drafts.get('c0'))
      return send(...args)
    }
    composer.send()
    composer.saveDraft()
    await vi.waitFor(() => expect(engine.drafts.get('c0')).toBe(''))
    expect(stored).toEqual(['hello'])
  })

  it('keeps no draft of what the engine was handed, only of what waits and what is in the field', async () => {
    const { engine, composer } = composerWith()
    const answers: (() => void)[] = []
    const send = engine.send
    engine.send = async (...args) => {
      await new Promise<void>((resolve) => void answers.push(resolve))
      return send(...args)
    }
    const say = (text: string) => {
      composer.edit(text)
      composer.send()
    }
    for (let i = 1; i <= 50; i++) say(`handed over ${i}`)
    expect(answers).toHaveLength(50)
    composer.edit('a word')
    composer.edit('')
    composer.saveDraft()
    expect(engine.drafts.get('c0') ?? '').toBe('')
    say('waits')
    composer.edit('in the field')
    composer.saveDraft()
    expect(engine.drafts.get('c0')).toBe('waits\nin the field')
    answers[0]?.()
    await vi.waitFor(() => expect(answers).toHaveLength(51))
    for (const answer of answers.slice(1)) answer()
    await vi.waitFor(() => expect(engine.drafts.get('c0')).toBe('in the field'))
    expect(engine.sent).toEqual([...Array.from({ length: 50 }, (_, i) => `handed over ${i + 1}`), 'waits'])
  })

  it('gives several texts back in the order in which they were written', async () => {
    const { engine, composer } = composerWith()
    engine.send = () => Promise.resolve({ ok: false, problem })
    for (const text of ['one', 'two', 'three']) {
      composer.edit(text)
      composer.send()
    }
    await vi.waitFor(() => expect(composer.text.value).toBe('one\ntwo\nthree'))
    expect(engine.drafts.get('c0')).toBe('one\ntwo\nthree')
  })

  it('begins with the draft and stores it while it is being written', async () => {
    const { engine, composer } = composerWith('half a tho')
    expect(composer.text.value).toBe('half a tho')
    composer.edit('half a thought')
    await vi.waitFor(() => expect(engine.drafts.get('c0')).toBe('half a thought'))
  })

  it('refuses what one message cannot hold, counted in bytes', () => {
    const { engine, composer } = composerWith()
    composer.edit('é'.repeat(maxTextBytes / 2))
    expect(composer.tooLongBy.value).toBe(0)
    composer.edit('é'.repeat(maxTextBytes / 2 + 1))
    expect(composer.tooLongBy.value).toBe(2)
    expect(composer.send()).toBe(false)
    expect(engine.sent).toEqual([])
    expect(composer.text.value).not.toBe('')
  })

  it('does not send white space', () => {
    const { composer } = composerWith()
    composer.edit(' \n ')
    expect(composer.canSend.value).toBe(false)
    expect(composer.send()).toBe(false)
  })
})
