import { afterEach, describe, expect, it } from 'vitest'
import { secondMs } from '../../protocol/wire/limits.ts'
import { meet, Person } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const soon = { timeout: 20_000, interval: 20 }
const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

const connectionOf = (world: TestWorld, { accountId }: Person) => {
  const found = [...world.connections.values()].find((one) => one.accountOf() === accountId)
  if (!found) throw new Error('is connected')
  return found
}

/** Two who have written to each other, and the link between them. */
const befriend = async () => {
  const world = new TestWorld()
  const clock = { passedMs: 0 }
  const options = { world, clockOffsetMs: () => clock.passedMs }
  const [alice, bob] = [new Person({ ...options, name: 'Alice' }), new Person({ ...options, name: 'Bob' })]
  people.push(alice, bob)
  const id = await meet(alice, bob)
  await bob.send(id, 'b0')
  await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(1)
  await alice.send(id, 'a0')
  await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).toBe('delivered')
  world.direct = true
  const link = async () => expect(await world.link(connectionOf(world, alice), connectionOf(world, bob))).toBe(true)
  /** The link ends, and both notice. */
  const unlink = () => {
    connectionOf(world, alice).listener.onPath(bob.accountId ?? '', 'relay')
    connectionOf(world, bob).listener.onPath(alice.accountId ?? '', 'relay')
  }
  const here = (who: Person) => who.conversation(id)?.here
  return { world, clock, alice, bob, id, link, unlink, here }
}

describe('presence', () => {
  it('is told when a link stands, and again when it changes; after the link the contact was last seen', async () => {
    const { clock, alice, bob, id, link, unlink, here } = await befriend()
    await bob.engine.attend(true)
    expect(alice.conversation(id)).not.toHaveProperty('here')
    await link()
    await expect.poll(() => here(alice), soon).toBe('online')
    await expect.poll(() => here(bob), soon).toBe('away')
    await alice.engine.attend(true)
    await expect.poll(() => here(bob), soon).toBe('online')
    await bob.engine.attend(false)
    await expect.poll(() => here(alice), soon).toBe('away')
    const awayAt = Date.now()

    clock.passedMs = 90 * secondMs
    unlink()
    await expect.poll(() => here(alice), soon).toBeUndefined()
    // Away is not here: the moment is the one at which he went.
    await expect
      .poll(() => Math.abs((alice.conversation(id)?.seenAtMs ?? 0) - awayAt), soon)
      .toBeLessThan(10 * secondMs)
    await expect.poll(() => (bob.conversation(id)?.seenAtMs ?? 0) - awayAt, soon).toBeGreaterThan(80 * secondMs)
    await alice.close()
    alice.events = []
    const state = await alice.open().then(() => alice.engine.diagnostics())
    expect(state.contacts).toMatchObject([{ name: 'Bob' }])
  })

  it('moves no ratchet, leaves no envelope and nothing at the relay', async () => {
    const { world, alice, bob, link, here } = await befriend()
    await alice.engine.attend(true)
    await link()
    await expect.poll(() => here(bob), soon).toBe('online')
    const sessions = async () => (await alice.dump()).split('\n').filter((line) => /^(sessions|outbox) /.test(line))
    const [before, seen] = [await sessions(), world.seen.length]
    await alice.engine.attend(false)
    await expect.poll(() => here(bob), soon).toBe('away')
    expect(await sessions()).toEqual(before)
    expect(world.seen).toHaveLength(seen)
    expect([...world.mailboxes.values()].flatMap((mailbox) => mailbox.waiting)).toEqual([])
  })

  it('is neither told nor shown by who turns it off, forgotten at once by both, and told again by who turns it on', async () => {
    const { alice, bob, id, link, here } = await befriend()
    await Promise.all([alice.engine.attend(true), bob.engine.attend(true)])
    await link()
    await expect.poll(() => [here(alice), here(bob)], soon).toEqual(['online', 'online'])
    await alice.engine.setSettings({ sharePresence: false })
    await expect.poll(() => [here(alice), here(bob)], soon).toEqual([undefined, undefined])
    await expect.poll(() => bob.conversation(id)?.seenAtMs, soon).toBeUndefined()
    expect(alice.conversation(id)?.seenAtMs).toBeUndefined()
    await bob.engine.attend(false)
    await alice.engine.attend(false)
    await alice.engine.setSettings({ sharePresence: true })
    await expect.poll(() => [here(alice), here(bob)], soon).toEqual(['away', 'away'])
  })

  it('counts every tab, and is shown in every tab', async () => {
    const { alice, bob, link, here } = await befriend()
    const tab = await bob.openTab()
    await link()
    await expect.poll(() => here(alice), soon).toBe('away')
    await tab.engine.attend(true)
    await expect.poll(() => here(alice), soon).toBe('online')
    await alice.engine.attend(true)
    const shown = () => tab.events.filter((event) => event.kind === 'conversation').at(-1)?.conversation.here
    await expect.poll(shown, soon).toBe('online')
    await tab.engine.close()
    await expect.poll(() => here(alice), soon).toBe('away')
  })

  it('is told to who begins anew while the old link still looks open', async () => {
    const { world, alice, bob, id, link, here } = await befriend()
    await Promise.all([alice.engine.attend(true), bob.engine.attend(true)])
    await link()
    await expect.poll(() => here(alice), soon).toBe('online')
    await alice.close()
    alice.events = []
    await alice.open()
    await expect.poll(() => world.connections.size, soon).toBe(2)
    // For Bob nothing has changed; Alice greets over a link of her own.
    await link()
    await expect.poll(() => alice.conversation(id)?.here, soon).toBe('online')
  })
})

describe('typing', () => {
  it('is shown for five seconds at most, at once no more without a link, and neither told nor shown by who turns it off', async () => {
    const { alice, bob, id, link, unlink } = await befriend()
    await link()
    const typing = (who: Person) => who.conversation(id)?.typing
    await bob.engine.typing(id)
    await expect.poll(() => typing(alice), soon).toBe(true)
    const began = performance.now()
    await expect.poll(() => typing(alice), soon).toBe(false)
    expect(performance.now() - began).toBeLessThan(6_000)
    await bob.engine.typing(id)
    await expect.poll(() => typing(alice), soon).toBe(true)
    unlink()
    await expect.poll(() => typing(alice), { timeout: 2_000, interval: 20 }).toBe(false)

    await link()
    await alice.engine.setSettings({ shareTyping: false })
    await bob.engine.setSettings({ shareTyping: false })
    const before = [alice, bob].map(({ events }) => events.length)
    await alice.engine.typing(id)
    await bob.engine.setSettings({ shareTyping: true })
    await bob.engine.typing(id)
    const said = [alice, bob].flatMap(({ events }, i) =>
      events.slice(before[i]).filter((event) => event.kind === 'conversation' && event.conversation.typing),
    )
    expect(said).toEqual([])
  }, 30_000)
})
