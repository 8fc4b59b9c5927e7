import { deleteDB } from 'idb'
import { expect, it } from 'vitest'
import { openIndexedDbStore } from '../store/indexed-db-store.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { addOwnMessage, newConversation, raiseStatus } from './conversations.ts'
import { createEffects } from './effects.ts'
import type { MessageStatus } from './engine-api.ts'
import { random } from './person.fixture.ts'

it('never takes a status back, whatever order the receipts come in', async () => {
  const name = `conversations-${crypto.randomUUID()}`
  const store = await openIndexedDbStore({ name, random })
  const conversationId = random(16)
  const messageId = random(16)
  const seen: (string | undefined)[] = []
  await store.write(async (tx) => {
    const conversation = newConversation(conversationId, random(32), 1, false)
    addOwnMessage(tx, createEffects(), conversation, { messageId, text: 'hello', now: 1, outboxNumber: 1 })
  })
  const order: MessageStatus[] = ['sent', 'read', 'delivered', 'sent', 'waiting']
  for (const status of order) {
    await store.write(async (tx) => {
      const effects = createEffects()
      const row = await raiseStatus(tx, effects, { conversationId, messageId, status })
      const conversation = await tx.get(conversationTable, [conversationId])
      seen.push(row?.status, conversation?.last?.status, [...effects.messages.values()][0]?.row.status)
    })
  }
  expect(seen).toEqual([
    ...['sent', 'sent', 'sent'],
    ...['read', 'read', 'read'],
    ...['read', 'read', undefined],
    ...['read', 'read', undefined],
    ...['read', 'read', undefined],
  ])
  store.close()
  await deleteDB(name)
})
