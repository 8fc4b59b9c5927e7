import { expect, it } from 'vitest'
import { ConversationsModel } from './conversations-model.ts'
import { conversation } from './engine.fixture.ts'

it('shows the latest first, and one without a message where it began', () => {
  const last = { mine: false, text: 'hello' }
  const model = new ConversationsModel()
  model.reset([
    conversation({ conversationId: 'old', createdAtMs: 1, last: { ...last, sentAtMs: 20 } }),
    conversation({ conversationId: 'empty', createdAtMs: 30 }),
    conversation({ conversationId: 'busy', createdAtMs: 2, last: { ...last, sentAtMs: 10 } }),
  ])
  const order = () => model.conversations.value.map(({ conversationId }) => conversationId)
  expect(order()).toEqual(['empty', 'old', 'busy'])
  model.apply(conversation({ conversationId: 'busy', createdAtMs: 2, last: { ...last, sentAtMs: 40 } }))
  expect(order()).toEqual(['busy', 'empty', 'old'])
})
