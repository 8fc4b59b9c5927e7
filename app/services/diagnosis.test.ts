import { afterEach, describe, expect, it } from 'vitest'
import { fromHex } from '../../protocol/wire/bytes.ts'
import { hourMs } from '../../protocol/wire/limits.ts'
import { remoteDeviceTable } from '../store/records/remote-device.ts'
import { meet, Person } from './person.fixture.ts'
import { handshakesOf, inStore } from './repair.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const soon = { timeout: 20_000, interval: 20 }
const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

/** Two who have written to each other, and a clock that both go by. */
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
  // Generations of sessions count seconds.
  clock.passedMs = 2_000
  return { world, clock, alice, bob, id }
}

const earOf = (world: TestWorld, { accountId }: Person) =>
  [...world.connections.values()].find((one) => one.accountOf() === accountId)?.listener

describe('the diagnosis', () => {
  it('tells how contacts and relays stand, in the tab that leads and in one that follows', async () => {
    const { world, alice, bob, id } = await befriend()
    const tab = await alice.openTab()
    earOf(world, alice)?.onDial(bob.accountId ?? '', 'no-way-through')
    await expect
      .poll(async () => (await tab.engine.diagnostics()).contacts[0]?.dial?.outcome, soon)
      .toBe('no-way-through')
    const calm = await tab.engine.diagnostics()
    expect(calm).toMatchObject({
      confirmed: true,
      contacts: [{ conversationId: id, name: 'Bob', waiting: 0, unreceipted: 0, hasSession: true }],
      relays: [{ name: 'Test relay', state: 'connected', lacks: [] }],
    })
    expect(Math.abs(calm.atMs - (calm.contacts[0]?.heardAtMs ?? 0))).toBeLessThan(30_000)
    expect(calm.relays[0]?.sinceMs).toBeLessThanOrEqual(calm.atMs)

    world.relayUp = false
    await tab.engine.send(id, 'a1')
    await expect.poll(async () => (await tab.engine.diagnostics()).contacts[0]?.reason, soon).toBe('own-offline')
    const troubled = await tab.engine.diagnostics()
    expect(troubled).toMatchObject({ contacts: [{ waiting: 1 }], relays: [{ state: 'reconnecting' }] })
    const leaders = await alice.engine.diagnostics()
    expect(leaders.contacts).toEqual(troubled.contacts)
    expect(leaders.relays).toEqual(troubled.relays)

    world.relayUp = true
    await expect.poll(async () => (await tab.engine.diagnostics()).contacts[0], soon).not.toHaveProperty('reason')
    await tab.engine.close()
  })

  it('tells what a relay does not have yet', async () => {
    const { world, alice } = await befriend()
    const relay = world.addRelay()
    relay.full = true
    expect(await alice.engine.addRelay([relay.address])).toMatchObject({ ok: true })
    const lacks = async () => (await alice.engine.diagnostics()).relays.map((one) => one.lacks)
    await expect.poll(lacks, soon).toEqual([[], ['log', 'lanes', 'prekeys']])
    relay.full = false
    await expect.poll(lacks, soon).toEqual([[], []])
  })
})

describe('a repair that is asked for', () => {
  it('makes one new session, sends again what is undelivered, and then waits for its time', async () => {
    const { world, clock, alice, bob, id } = await befriend()
    await bob.close()
    await alice.send(id, 'a1')
    await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).toBe('sent')
    const before = world.seen.length
    // Asked in a tab that has no network: the one that leads does it.
    const tab = await alice.openTab()
    expect(await tab.engine.repair(id)).toEqual({ kind: 'begun' })
    await expect.poll(() => handshakesOf(world, alice, before), soon).toBe(1)
    const again = await tab.engine.repair(id)
    expect(again).toMatchObject({ kind: 'later' })
    if (again.kind === 'later') expect(again.atMs - Date.now()).toBeGreaterThan(hourMs / 2)
    expect((await tab.engine.diagnostics()).contacts[0]?.repairAtMs).toBe(again.kind === 'later' ? again.atMs : 0)
    await bob.open()
    await expect.poll(() => bob.texts(id), soon).toEqual(['b0', 'a0', 'a1'])
    await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).toBe('delivered')
    expect(handshakesOf(world, alice, before)).toBe(1)

    clock.passedMs += hourMs + 10_000
    expect(await alice.engine.repair(id)).toEqual({ kind: 'begun' })
    await expect.poll(() => handshakesOf(world, alice, before), soon).toBe(2)
    const device = await inStore(alice, (tx) => tx.list(remoteDeviceTable, { prefix: [fromHex(bob.accountId ?? '')] }))
    expect(device).toMatchObject([{ handshake: 'none', repairs: 2 }])
    await tab.engine.close()
  }, 60_000)

  it('ends the pause after an account was not found', async () => {
    const world = new TestWorld()
    const alice = new Person({ world, name: 'Alice' })
    // Rests for half an hour at least.
    const bob = new Person({ world, name: 'Bob', pace: { accountMissingMs: [hourMs, hourMs] } })
    people.push(alice, bob)
    await Promise.all([alice.onboard(), bob.onboard()])
    const fragment = await alice.invite()
    const name = alice.accountId ?? ''
    const log = world.logs.get(name)
    if (!log) throw new Error('the relay has the log')
    world.logs.delete(name)
    const id = await bob.accept(fragment)
    await bob.send(id, 'b1')
    await expect.poll(() => bob.events.some((event) => event.kind === 'problem'), soon).toBe(true)
    expect(await bob.engine.diagnostics()).toMatchObject({
      contacts: [{ reason: 'account-missing', hasSession: false }],
    })
    world.logs.set(name, log)
    expect(await bob.engine.repair(id)).toEqual({ kind: 'begun' })
    await expect.poll(() => alice.texts(id), soon).toEqual(['b1'])
  })

  it('is nobody’s when there is nobody', async () => {
    const { alice } = await befriend()
    expect(await alice.engine.repair('00'.repeat(16))).toEqual({ kind: 'nobody' })
  })
})
