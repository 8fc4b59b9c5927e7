import { afterEach, describe, expect, it } from 'vitest'
import type { EngineEvent } from './engine-api.ts'
import { meet, Person } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const soon = { timeout: 20_000, interval: 20 }
const people: Person[] = []
const person = (world: TestWorld, name: string): Person => {
  const made = new Person({ world, name })
  people.push(made)
  return made
}
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

const problems = ({ events }: Person): string[] =>
  events.filter((event) => event.kind === 'problem').map((event) => event.problem.code)

describe('an engine', () => {
  it('tells once that the network does not start, tries again, and asks for the link it was to have', async () => {
    const world = new TestWorld()
    const [alice, bob] = [person(world, 'Alice'), person(world, 'Bob')]
    const id = await meet(alice, bob)
    await expect.poll(() => bob.conversation(id)?.name, soon).toBe('Alice')
    await bob.close()
    bob.events = []
    world.failStarts = 3
    await bob.open()
    await bob.engine.show(id)
    await expect.poll(() => world.wanted, soon).toEqual([alice.accountId])
    expect(problems(bob)).toEqual(['relay-unreachable'])
  })

  it('receipts what came as a request once the sender is accepted', async () => {
    const world = new TestWorld()
    const [alice, bob, carol] = [person(world, 'Alice'), person(world, 'Bob'), person(world, 'Carol')]
    await Promise.all([alice.onboard(), bob.onboard(), carol.onboard()])
    const invite = await alice.invite()
    const first = await bob.accept(invite)
    await expect.poll(() => alice.conversation(first)?.name, soon).toBe('Bob')
    const id = await carol.accept(invite)
    await carol.send(id, 'me too')
    await expect.poll(async () => (await alice.texts(id)).length, soon).toBe(1)
    await alice.accept(await carol.invite())
    await expect.poll(async () => (await carol.messages(id))[0]?.status, soon).toBe('delivered')
  })

  it('tells once that an invite leads nowhere, and goes on when the account is back', async () => {
    const world = new TestWorld()
    const [alice, bob] = [person(world, 'Alice'), person(world, 'Bob')]
    await Promise.all([alice.onboard(), bob.onboard()])
    const invite = await alice.invite()
    const name = alice.accountId ?? ''
    const log = world.logs.get(name) ?? new Uint8Array()
    world.logs.delete(name)
    const id = await bob.accept(invite)
    const asked = world.notFound
    await expect.poll(() => world.notFound, soon).toBeGreaterThan(asked + 3)
    expect(problems(bob)).toEqual(['account-not-found'])
    const { lines } = await bob.engine.diagnostics()
    expect(lines.filter((line) => line.code === 'account-not-found')).toHaveLength(1)
    world.logs.set(name, log)
    await expect.poll(() => alice.conversation(id)?.name, soon).toBe('Bob')
  })

  it('ends catching up when the relay is lost', async () => {
    const world = new TestWorld()
    const alice = person(world, 'Alice')
    await alice.onboard()
    await expect.poll(() => world.connections.size, soon).toBe(1)
    const [connection] = world.connections.values()
    await connection?.listener.onEnvelopes({ kind: 'mailbox', relayKey: world.relayKey, waiting: 5 }, [])
    connection?.listener.onRelayState(world.relayKey, 'reconnecting')
    const waiting = (event: EngineEvent): number[] => (event.kind === 'catching-up' ? [event.waiting] : [])
    expect(alice.events.flatMap(waiting)).toEqual([5, 0])
  })
})
