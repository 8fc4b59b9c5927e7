import { afterEach, describe, expect, it } from 'vitest'
import { meet, Person, type PersonOptions } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'
import type { TestRelay } from './test-relay.fixture.ts'

const soon = { timeout: 20_000, interval: 20 }
const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

/** A tenth of the real moment, so that what must not be shown has time to be. */
const pace = { waitingShownMs: 300 }

const befriend = async (world: TestWorld, bobs?: TestRelay, more: Partial<PersonOptions['pace']> = {}) => {
  const alice = new Person({ world, name: 'Alice', pace: { ...pace, ...more } })
  const bob = new Person({ world, name: 'Bob', ...(bobs ? { relay: bobs } : {}) })
  people.push(alice, bob)
  const id = await meet(alice, bob)
  await bob.send(id, 'b0')
  await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(1)
  await alice.send(id, 'a0')
  await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).toBe('delivered')
  return { world, alice, bob, id }
}

/** Everything that was ever said to be waited for. */
const said = ({ events }: Pick<Person, 'events'>): (string | undefined)[] => [
  ...new Set(events.flatMap((event) => (event.kind === 'conversation' ? [event.conversation.waiting] : []))),
]

describe('what a message waits for', () => {
  it('is shown after a moment, in every tab, and gone as soon as nothing waits', async () => {
    const { world, alice, id } = await befriend(new TestWorld())
    const tab = await alice.openTab()
    world.relayUp = false
    const sentAt = performance.now()
    await tab.engine.send(id, 'a1')
    await expect.poll(() => alice.conversation(id)?.waiting, soon).toBe('own-offline')
    expect(performance.now() - sentAt).toBeGreaterThanOrEqual(pace.waitingShownMs)
    await expect.poll(() => said(tab), soon).toContain('own-offline')
    world.relayUp = true
    await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).not.toBe('waiting')
    await expect.poll(() => alice.conversation(id)?.waiting, soon).toBeUndefined()
    const last = () => tab.events.filter((event) => event.kind === 'conversation').at(-1)?.conversation
    await expect.poll(() => last()?.waiting, soon).toBeUndefined()
    await tab.engine.close()
  })

  it('is not shown for what leaves within that moment, however often', async () => {
    const { world, alice, id } = await befriend(new TestWorld())
    for (let round = 0; round < 5; round++) {
      world.relayUp = false
      await alice.send(id, `a${round}`)
      world.relayUp = true
      await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).not.toBe('waiting')
    }
    expect(said(alice)).toEqual([undefined])
  })

  it('is the contact’s relay when that is the one that is away', async () => {
    const world = new TestWorld()
    const far = world.addRelay()
    const { alice, bob, id } = await befriend(world, far)
    far.up = false
    await alice.send(id, 'a1')
    await expect.poll(() => alice.conversation(id)?.waiting, soon).toBe('contact-unreachable')
    far.up = true
    await expect.poll(() => alice.conversation(id)?.waiting, soon).toBeUndefined()
    await expect.poll(() => bob.texts(id), soon).toContain('a1')
  })

  it('is a session, and why there is none', async () => {
    const world = new TestWorld()
    const alice = new Person({ world, name: 'Alice' })
    const bob = new Person({ world, name: 'Bob', pace: { ...pace, accountMissingMs: [400, 400] } })
    people.push(alice, bob)
    await Promise.all([alice.onboard(), bob.onboard()])
    const fragment = await alice.invite()
    const name = alice.accountId ?? ''
    const log = world.logs.get(name)
    if (!log) throw new Error('the relay has the log')
    world.logs.delete(name)
    const id = await bob.accept(fragment)
    await bob.send(id, 'b0')
    await expect.poll(() => bob.conversation(id)?.waiting, soon).toBe('account-missing')
    world.logs.set(name, log)
    await expect.poll(() => alice.texts(id), soon).toEqual(['b0'])
    await expect.poll(() => bob.conversation(id)?.waiting, soon).toBeUndefined()
  })

  it('is said again by an engine that begins with messages that wait', async () => {
    const { world, alice, id } = await befriend(new TestWorld())
    world.relayUp = false
    await alice.send(id, 'a1')
    await alice.close()
    alice.events = []
    await alice.open()
    await expect.poll(() => alice.conversation(id)?.waiting, soon).toBe('own-offline')
    world.relayUp = true
    await expect.poll(() => alice.conversation(id)?.waiting, soon).toBeUndefined()
  })
})
