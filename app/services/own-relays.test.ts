import { afterEach, describe, expect, it } from 'vitest'
import { toHex } from '../../protocol/wire/bytes.ts'
import { dayMs } from '../../protocol/wire/limits.ts'
import { meet, Person, type PersonOptions } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'
import type { TestRelay } from './test-relay.fixture.ts'
import { accountOf, contactOf, delivered, endPeople, people, soon, talking } from './verification.fixture.ts'

afterEach(endPeople)

const idOf = ({ relayKey }: { readonly relayKey: Uint8Array }): string => toHex(relayKey)

/** The relays that one knows of the other. */
const knownRelays = async (who: Person, other: Person): Promise<string[]> =>
  (await contactOf(who, other)).mailboxes.map(idOf).toSorted()

const expectKnown = (who: Person, other: Person, relays: readonly TestRelay[]) =>
  expect.poll(() => knownRelays(who, other), soon).toEqual(relays.map(idOf).toSorted())

/** The list comes with the contact's word; the account log that bears it out is fetched after that. */
const expectLogFetched = (who: Person, other: Person) =>
  expect.poll(async () => (await contactOf(who, other)).logStale, soon).toBe(false)

const add = async (who: Person, relay: TestRelay) => {
  const outcome = await who.engine.addRelay([relay.address])
  if (!outcome.ok) throw new Error(outcome.problem.message)
}
const move = async (who: Person, from: TestRelay, to: TestRelay) => {
  const outcome = await who.engine.moveRelay(idOf(from), [to.address])
  if (!outcome.ok) throw new Error(outcome.problem.message)
}

const oneTimeIds = ({ prekeys }: TestRelay, { accountId = '' }: Person): number[] =>
  (prekeys.get(accountId) ?? []).filter(({ kind }) => kind.startsWith('one-time')).map(({ id }) => id)

/** Alice at the world's first relay and Bob at its second, who have heard from each other. */
const apart = async (world: TestWorld, more: Partial<PersonOptions> = {}) => {
  const home = world.addRelay()
  const alice = new Person({ world, name: 'Alice', ...more })
  const bob = new Person({ world, name: 'Bob', relay: home, ...more })
  people.push(alice, bob)
  const id = await meet(alice, bob)
  await bob.send(id, 'from bob')
  await expect.poll(() => alice.texts(id), soon).toEqual(['from bob'])
  await alice.send(id, 'from alice')
  await delivered(alice, id)
  await delivered(bob, id)
  return { alice, bob, id, home }
}

const bothSay = async (alice: Person, bob: Person, id: string, texts: readonly string[]) => {
  for (const who of [alice, bob]) {
    await expect.poll(async () => (await who.texts(id)).toSorted(), soon).toEqual(texts.toSorted())
  }
}

describe('an account at several relays', () => {
  it('gives a new relay all that it needs, and then tells contacts', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    const second = world.addRelay()
    await add(alice, second)
    await expect.poll(() => oneTimeIds(second, alice).length, soon).toBe(200)
    expect(oneTimeIds(world.relay, alice).filter((one) => oneTimeIds(second, alice).includes(one))).toEqual([])
    await expectKnown(bob, alice, [world.relay, second])
    await expectLogFetched(bob, alice)

    world.relayUp = false
    await bob.send(id, 'by the other relay')
    await expect.poll(() => alice.texts(id), soon).toContain('by the other relay')
    world.relayUp = true
    await bob.send(id, 'by both')
    await alice.send(id, 'answer')
    await delivered(alice, id)
    await delivered(bob, id)
    await bothSay(alice, bob, id, ['from bob', 'from alice', 'by the other relay', 'by both', 'answer'])
  })

  it('refuses what makes no sense, and changes nothing', async () => {
    const world = new TestWorld()
    const alice = new Person({ world, name: 'Alice' })
    people.push(alice)
    await alice.onboard()
    const relays = [world.addRelay(), world.addRelay(), world.addRelay()] as const
    const refused = async (outcome: ReturnType<Person['engine']['addRelay']>) => {
      const { ok, ...rest } = await outcome
      expect(ok).toBe(false)
      return 'problem' in rest ? rest.problem : undefined
    }
    expect(await refused(alice.engine.removeRelay(idOf(world.relay)))).toMatchObject({ code: 'relay-choice' })
    expect(await refused(alice.engine.removeRelay(idOf(relays[0])))).toMatchObject({ code: 'relay-choice' })
    expect(await refused(alice.engine.addRelay([world.address]))).toMatchObject({ code: 'relay-choice' })
    expect(await refused(alice.engine.addRelay(['/dns4/nowhere.test/tcp/1/wss']))).toMatchObject({
      code: 'relay-unreachable',
    })
    await add(alice, relays[0])
    await add(alice, relays[1])
    expect(await refused(alice.engine.addRelay([relays[2].address]))).toMatchObject({
      code: 'relay-choice',
      message: 'You already have 3 relays. Remove one of them first.',
    })
    await move(alice, relays[0], relays[2])
    expect((await accountOf(alice)).relays.map(idOf)).toEqual([world.relay, relays[1], relays[2]].map(idOf))
  })

  it('tells nobody of a relay that does not have everything yet', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    const second = world.addRelay()
    second.full = true
    await add(alice, second)
    const renamed = await alice.engine.setName('Alice B.')
    expect(renamed.ok).toBe(true)
    await expect.poll(() => bob.conversation(id)?.name, soon).toBe('Alice B.')
    expect(await knownRelays(bob, alice)).toEqual([idOf(world.relay)])
    second.full = false
    await expectKnown(bob, alice, [world.relay, second])
  })

  it('tells contacts of a new relay though an old one is dead and stays so', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await apart(world)
    world.relayUp = false
    const third = world.addRelay()
    await add(alice, third)
    await expectKnown(bob, alice, [world.relay, third])
    await bob.send(id, 'by the living one')
    await expect.poll(() => alice.texts(id), soon).toContain('by the living one')
    await expectLogFetched(bob, alice)
  })

  it('makes invites while one of its relays is dead', async () => {
    const world = new TestWorld()
    const second = world.addRelay()
    const alice = new Person({ world, name: 'Alice' })
    const bob = new Person({ world, name: 'Bob', relay: second })
    people.push(alice, bob)
    await Promise.all([alice.onboard(), bob.onboard()])
    await add(alice, second)
    world.relayUp = false
    const id = await bob.accept(await alice.invite())
    await bob.send(id, 'hello')
    await expect.poll(() => alice.texts(id), soon).toEqual(['hello'])
    await alice.send(id, 'hello yourself')
    await bothSay(alice, bob, id, ['hello', 'hello yourself'])
  })
})

describe('an account that moves', () => {
  it('away from a dead relay is followed by contacts at a living one, with all that waits', async () => {
    const world = new TestWorld()
    const { alice, bob, id, home } = await apart(world)
    world.relayUp = false
    await bob.send(id, 'while the relay is dead')
    await alice.send(id, 'this gets through')
    await expect.poll(() => bob.texts(id), soon).toContain('this gets through')
    const third = world.addRelay()
    await move(alice, world.relay, third)
    await expectKnown(bob, alice, [third])
    expect(await knownRelays(alice, bob)).toEqual([idOf(home)])
    await expect.poll(() => alice.texts(id), soon).toContain('while the relay is dead')
    await delivered(bob, id)
    await bothSay(alice, bob, id, ['from bob', 'from alice', 'while the relay is dead', 'this gets through'])
  })

  it.each([
    { dead: 'is silent', silentMs: 60_000, pace: {} },
    { dead: 'has been dead for long', silentMs: 0, pace: { retryMs: [60_000, 60_000] as const } },
  ])('away from a relay that $dead gets at once what waits', async ({ silentMs, pace }) => {
    const world = new TestWorld()
    const { alice, bob, id } = await apart(world, { pace })
    Object.assign(world.relay, { silentMs, up: false })
    await bob.send(id, 'while the relay is dead')
    await expect.poll(() => world.seen.at(-1)?.from).toBe(bob.accountId)
    const third = world.addRelay()
    await move(alice, world.relay, third)
    await expect.poll(() => alice.texts(id), soon).toContain('while the relay is dead')
    await delivered(bob, id)
    await bothSay(alice, bob, id, ['from bob', 'from alice', 'while the relay is dead'])
  })

  it('tells it over a direct link when no relay of the contact is left', async () => {
    const world = new TestWorld()
    const { alice, bob, id, home } = await apart(world)
    world.relayUp = false
    home.up = false
    world.direct = true
    const third = world.addRelay()
    await move(alice, world.relay, third)
    await expectKnown(bob, alice, [third])
    world.direct = false
    await bob.send(id, 'by the new relay')
    await expect.poll(() => alice.texts(id), soon).toContain('by the new relay')
  })

  it('still collects what comes to the relay it has left, and lets go of it after 30 days', async () => {
    const world = new TestWorld()
    let daysOn = 0
    const { alice, bob, id } = await apart(world, { clockOffsetMs: () => daysOn * dayMs })
    await alice.close()
    await bob.send(id, 'to the old mailbox')
    await expect.poll(async () => (await bob.messages(id)).at(-1)?.status, soon).toBe('sent')
    await bob.close()
    world.relayUp = false
    await alice.open()
    const third = world.addRelay()
    await move(alice, world.relay, third)
    world.relayUp = true
    await expect.poll(() => alice.texts(id), soon).toContain('to the old mailbox')
    await bob.open()
    await expectKnown(bob, alice, [third])

    expect((await accountOf(alice)).left?.map(idOf)).toEqual([idOf(world.relay)])
    await alice.close()
    daysOn = 31
    await alice.open()
    await expect.poll(async () => (await accountOf(alice)).left, soon).toEqual([])
    await bob.send(id, 'to the new one')
    await expect.poll(() => alice.texts(id), soon).toContain('to the new one')
  })

  it('comes back to a relay it has left by the mailbox it had there', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    const before = (await accountOf(alice)).relays.map(({ mailboxId }) => toHex(mailboxId))
    const second = world.addRelay()
    await move(alice, world.relay, second)
    await expectKnown(bob, alice, [second])
    await move(alice, second, world.relay)
    await expectKnown(bob, alice, [world.relay])
    expect((await accountOf(alice)).relays.map(({ mailboxId }) => toHex(mailboxId))).toEqual(before)
    await bob.send(id, 'back again')
    await expect.poll(() => alice.texts(id), soon).toContain('back again')
  })

  it('and has lost every way to a contact who moved as well finds them by an invite', async () => {
    const world = new TestWorld()
    const { alice, bob, id, home } = await apart(world)
    world.relayUp = false
    home.up = false
    for (let i = 0; i < 30; i++) await bob.send(id, `lost ${i}`)
    await alice.send(id, 'lost as well')
    const [third, fourth] = [world.addRelay(), world.addRelay()]
    await move(alice, world.relay, third)
    await move(bob, home, fourth)
    expect(await bob.accept(await alice.invite())).toBe(id)
    await expectKnown(bob, alice, [third])
    await expectKnown(alice, bob, [fourth])
    const lost = Array.from({ length: 30 }, (_, i) => `lost ${i}`)
    await bothSay(alice, bob, id, ['from bob', 'from alice', ...lost, 'lost as well'])
    await delivered(bob, id)
    expect((await contactOf(bob, alice)).mailboxes.some(({ unproven }) => unproven)).toBe(false)
    await expectLogFetched(bob, alice)
  })
})
