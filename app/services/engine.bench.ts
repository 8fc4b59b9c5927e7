import { deleteDB } from 'idb'
import { test } from 'vitest'
import { fromHex } from '../../protocol/wire/bytes.ts'
import { openIndexedDbStore } from '../store/indexed-db-store.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { messageTable } from '../store/records/message.ts'
import { createEngine } from './engine.ts'
import { meet, Person, random } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const until = async (done: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Two people who know each other, with `stored` messages in their conversation on Alice's side. */
const prepare = async (stored: number): Promise<{ alice: Person; bob: Person; id: string; world: TestWorld }> => {
  const world = new TestWorld()
  // Nothing is offered again while it is measured.
  const pace = { offerAgainMs: [600_000, 600_000] } as const
  const [alice, bob] = [new Person({ world, name: 'Alice', pace }), new Person({ world, name: 'Bob', pace })]
  const id = await meet(alice, bob)
  await bob.send(id, 'hello')
  await until(() => alice.conversation(id)?.messages === 1)
  await alice.send(id, 'hello')
  await until(() => bob.conversation(id)?.messages === 2)
  await alice.close()
  const store = await openIndexedDbStore({ name: alice.database, random })
  for (let from = 0; from < stored; from += 1_000) {
    await store.write(async (tx) => {
      const conversation = await tx.get(conversationTable, [fromHex(id)])
      if (!conversation) throw new Error('they have met')
      for (let i = 1; i <= 1_000; i++) {
        tx.put(messageTable, {
          conversationId: conversation.conversationId,
          position: conversation.lastPosition + i * 1_024,
          messageId: random(16),
          mine: true,
          text: `message ${from + i} of a long history, about as long as people write`,
          sentAtMs: 1,
          orderMs: 1,
          sequence: from + i,
          status: 'read',
          seen: true,
        })
      }
      tx.put(conversationTable, {
        ...conversation,
        lastPosition: conversation.lastPosition + 1_024_000,
        messages: conversation.messages + 1_000,
      })
    })
  }
  store.close()
  return { alice, bob, id, world }
}

const runs = (iterations: number) => ({ iterations, time: 0, warmupIterations: 1, warmupTime: 0 })

for (const stored of [10_000, 100_000]) {
  test(`opening with ${stored} stored messages`, async ({ bench }) => {
    const { alice, bob, id } = await prepare(stored)
    await bench(`cold: open the engine and read the last 50 of ${stored}`, async () => {
      const engine = createEngine({
        openStore: (onClosed) => openIndexedDbStore({ name: alice.database, random, onClosed }),
        now: () => Date.now(),
        random,
      })
      await engine.open(() => undefined)
      const page = await engine.messages(id, { limit: 50 })
      if (page.length !== 50) throw new Error('50 messages were wanted')
      await engine.close()
    }).run(runs(10))
    await bob.end()
    await deleteDB(alice.database)
  }, 300_000)
}

test('500 messages', async ({ bench }) => {
  const { alice, bob, id, world } = await prepare(0)
  let texts = 0
  const write = () => Promise.all(Array.from({ length: 500 }, () => alice.send(id, `message ${texts++}`)))
  await alice.open()
  await bench('500 sent: session, message and outbox committed', async () => {
    await write()
  }).run(runs(3))

  const isEmpty = () => [...world.mailboxes.values()].every((mailbox) => mailbox.waiting.length === 0)
  const fill = async (): Promise<void> => {
    await until(isEmpty)
    await bob.close()
    await write()
    await until(async () => (await alice.engine.messages(id, { limit: 1 }))[0]?.status !== 'waiting')
  }
  await bench('500 drained: from the mailbox to committed and acknowledged', { beforeEach: fill }, async () => {
    await bob.open()
    await until(isEmpty)
  }).run(runs(3))
  await alice.end()
  await bob.end()
}, 300_000)
