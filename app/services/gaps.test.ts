import { afterEach, expect, it } from 'vitest'
import { hourMs } from '../../protocol/wire/limits.ts'
import { meet, Person } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

const soon = { timeout: 15_000, interval: 20 }

it('a message that a relay has lost is offered again as soon as a later one has arrived', async () => {
  const world = new TestWorld()
  // Without that, it would be offered again in ten minutes.
  const pace = { offerAgainMs: [600_000, 600_000] } as const
  let passedMs = 0
  const alice = new Person({ world, name: 'Alice', pace, clockOffsetMs: () => passedMs })
  const bob = new Person({ world, name: 'Bob' })
  people.push(alice, bob)
  const id = await meet(alice, bob)
  await expect.poll(() => alice.conversation(id)?.name, soon).toBe('Bob')
  await alice.send(id, 'first')
  await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).toBe('delivered')

  world.faults = { swallow: 1 }
  await alice.send(id, 'lost on the way')
  await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).toBe('sent')
  world.faults = {}
  // Two ways may overtake each other: a gap is one only after a moment.
  passedMs = 1_000
  expect(await bob.texts(id)).toEqual(['first'])
  await alice.send(id, 'after it')
  await expect.poll(() => bob.texts(id), soon).toEqual(['first', 'lost on the way', 'after it'])
  await expect
    .poll(async () => (await alice.messages(id)).map(({ status }) => status), soon)
    .toEqual(['delivered', 'delivered', 'delivered'])
})

it('a message that was taken by a clock that ran ahead is offered again after its pause, and not when that time has come', async () => {
  const world = new TestWorld()
  let aheadMs = hourMs
  const pace = { offerAgainMs: [1_000, 1_000] } as const
  const alice = new Person({ world, name: 'Alice', pace, clockOffsetMs: () => aheadMs })
  const bob = new Person({ world, name: 'Bob' })
  people.push(alice, bob)
  const id = await meet(alice, bob)
  await expect.poll(() => alice.conversation(id)?.name, soon).toBe('Bob')
  world.faults = { swallow: 1 }
  await alice.send(id, 'lost on the way')
  await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).toBe('sent')
  aheadMs = 0
  world.faults = {}
  await expect.poll(() => bob.texts(id), soon).toEqual(['lost on the way'])
  await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).toBe('delivered')
})
