import { afterEach, expect, it } from 'vitest'
import { recordingProvider, type RaceOrder, type RaceResult } from './engine-race.fixture.ts'
import { meet, Person } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

const runWorker = async (order: RaceOrder): Promise<RaceResult> => {
  const worker = new Worker(new URL('./engine-race.fixture.ts', import.meta.url), { type: 'module' })
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = (event: MessageEvent<RaceResult>) => resolve(event.data)
      worker.onerror = (event) => reject(new Error(event.message))
      worker.postMessage(order)
    })
  } finally {
    worker.terminate()
  }
}

it('two engines in two workers on one database never use a message key twice and lose nothing', async () => {
  const world = new TestWorld()
  const { provider, sealed } = recordingProvider()
  const alice = new Person({ world, name: 'Alice', crypto: provider })
  const bob = new Person({ world, name: 'Bob' })
  people.push(alice, bob)
  const id = await meet(alice, bob)
  await expect.poll(() => alice.conversation(id)?.name, { timeout: 10_000 }).toBe('Bob')
  await alice.send(id, 'before')
  await alice.close()
  const order = { database: alice.database, conversationId: id, count: 100 }
  const results = await Promise.all(['x', 'y'].map((prefix) => runWorker({ ...order, prefix })))
  expect(results.map((result) => result.failures)).toEqual([0, 0])
  await alice.open()
  await alice.send(id, 'after')
  const all = [...sealed, ...results.flatMap((result) => result.sealed)].map((one) => one.messageKey)
  expect(all.length).toBeGreaterThan(200)
  expect(new Set(all).size).toBe(all.length)
  await expect.poll(() => bob.conversation(id)?.messages, { timeout: 20_000 }).toBe(202)
  const texts = await bob.texts(id)
  for (const prefix of ['x', 'y']) {
    expect(texts.filter((text) => text?.startsWith(prefix))).toEqual(
      Array.from({ length: 100 }, (_, i) => `${prefix}${i}`),
    )
  }
  expect([texts[0], texts.at(-1)]).toEqual(['before', 'after'])
}, 60_000)
