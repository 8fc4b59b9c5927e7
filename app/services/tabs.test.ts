import { afterEach, describe, expect, it } from 'vitest'
import type { EngineEvent } from './engine-api.ts'
import { meet, Person } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

const soon = { timeout: 15_000, interval: 20 }

const befriend = async (): Promise<{ world: TestWorld; alice: Person; bob: Person; id: string }> => {
  const world = new TestWorld()
  const [alice, bob] = [new Person({ world, name: 'Alice' }), new Person({ world, name: 'Bob' })]
  people.push(alice, bob)
  const id = await meet(alice, bob)
  await expect.poll(() => alice.conversation(id)?.name, soon).toBe('Bob')
  await alice.send(id, 'hello')
  await expect.poll(() => bob.conversation(id)?.messages, soon).toBe(1)
  return { world, alice, bob, id }
}

const statusOf = (events: readonly EngineEvent[], text: string): string | undefined =>
  events.filter((event) => event.kind === 'message').findLast(({ message }) => message.text === text)?.message.status

const lastView = (events: readonly EngineEvent[]) =>
  events.filter((event) => event.kind === 'conversation').at(-1)?.conversation

describe('engines in several tabs', () => {
  it('show the same, and send through the one that leads', async () => {
    const { alice, bob, id, world } = await befriend()
    world.direct = true
    const tab = await alice.openTab()
    expect((await tab.engine.messages(id, { limit: 10 })).map(({ text }) => text)).toEqual(['hello'])
    const outcome = await tab.engine.send(id, 'from the second tab')
    expect(outcome).toMatchObject({ ok: true, value: { status: 'waiting' } })
    await expect.poll(() => bob.texts(id), soon).toEqual(['hello', 'from the second tab'])
    await expect.poll(() => statusOf(tab.events, 'from the second tab'), soon).toBe('delivered')
    await expect.poll(() => statusOf(alice.events, 'from the second tab'), soon).toBe('delivered')

    await bob.send(id, 'an answer')
    await expect.poll(() => lastView(tab.events)?.last?.text, soon).toBe('an answer')
    const position = (await tab.engine.messages(id, { limit: 1 }))[0]?.position ?? 0
    await tab.engine.markRead(id, position)
    await expect.poll(() => statusOf(bob.events, 'an answer'), soon).toBe('read')
    await expect.poll(() => alice.conversation(id)?.unread, soon).toBe(0)
    await tab.engine.close()
  })

  it('know in every tab how contacts and relays are reached', async () => {
    const { world, alice, bob, id } = await befriend()
    const tab = await alice.openTab()
    const relays = () => tab.events.filter((event) => event.kind === 'relays').at(-1)?.relays
    await expect.poll(() => relays()?.map(({ state }) => state), soon).toEqual(['connected'])
    const [one, other] = [...world.connections.values()]
    if (!one || !other) throw new Error('both are connected')
    world.direct = true
    expect(await world.link(one, other)).toBe(true)
    await expect.poll(() => lastView(tab.events)?.path, soon).toBe('direct')
    await tab.engine.send(id, 'one more')
    expect(lastView(tab.events)).toMatchObject({ path: 'direct', last: { text: 'one more' } })
    await expect.poll(() => bob.conversation(id)?.messages, soon).toBe(2)

    const late = await alice.openTab()
    await expect.poll(() => lastView(late.events)?.path, soon).toBe('direct')
    await bob.engine.typing(id)
    await expect.poll(() => lastView(late.events)?.typing, soon).toBe(true)
    await tab.engine.close()
    await late.engine.close()
  })

  it('go on when the leader vanishes without a word, and refuse what it writes when it wakes', async () => {
    const { world, alice, bob, id } = await befriend()
    world.relayUp = false
    await alice.send(id, 'never left')
    const tab = await alice.openTab()
    await tab.engine.send(id, 'neither did this')
    // The first engine is not closed: as far as it knows, it leads.
    world.relayUp = true
    await tab.connect()
    await expect.poll(() => bob.texts(id), soon).toEqual(['hello', 'never left', 'neither did this'])
    expect(await alice.engine.send(id, 'too late')).toMatchObject({ ok: false, problem: { code: 'storage-failed' } })
    expect(alice.events).toContainEqual({ kind: 'superseded' })
    await alice.engine.disconnect()
    expect(await alice.engine.send(id, 'as a follower')).toMatchObject({ ok: true })
    await expect.poll(() => bob.texts(id), soon).toEqual(['hello', 'never left', 'neither did this', 'as a follower'])
    await tab.engine.close()
  })

  it('make invites in a tab that does not lead', async () => {
    const { alice } = await befriend()
    const tab = await alice.openTab()
    expect(await tab.engine.createInvite()).toMatchObject({ ok: true })
    await tab.engine.close()
  })
})
