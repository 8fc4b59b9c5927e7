import { afterEach, expect, it } from 'vitest'
import { hourMs } from '../../protocol/wire/limits.ts'
import { meet, Person } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const soon = { timeout: 20_000, interval: 20 }
const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

it('opens a captured hello no second time when our clock reaches that of a contact who is ahead', async () => {
  const world = new TestWorld()
  let offset = 0
  const alice = new Person({ world, name: 'Alice', clockOffsetMs: () => offset })
  const bob = new Person({ world, name: 'Bob', clockOffsetMs: () => hourMs })
  people.push(alice, bob)
  const id = await meet(alice, bob)
  await bob.send(id, 'my clock is ahead')
  await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(1)
  const ear = (who: Person) =>
    [...world.connections.values()].find((one) => one.accountOf() === who.accountId)?.listener
  const hello = await ear(bob)?.hello(alice.accountId ?? '')
  if (!hello) throw new Error('there is a session')
  expect(await ear(alice)?.onSignal(1, hello)).toMatchObject({ contactId: bob.accountId })
  offset = hourMs
  expect(await ear(alice)?.onSignal(2, hello)).toBeNull()
})
