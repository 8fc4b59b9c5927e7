import { afterEach, describe, expect, it } from 'vitest'
import { meet, Person, type PersonOptions } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const people: Person[] = []
const person = (options: PersonOptions): Person => {
  const made = new Person(options)
  people.push(made)
  return made
}
const pair = (world: TestWorld, more: Partial<PersonOptions> = {}): [Person, Person] => [
  person({ world, name: 'Alice', ...more }),
  person({ world, name: 'Bob', ...more }),
]
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

const soon = { timeout: 20_000, interval: 20 }
const numbers = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}`)

const rank = { waiting: 0, sent: 1, delivered: 2, read: 3 } as const

/** Messages whose status was ever shown lower than before. */
const stepsBack = (who: Person): string[] => {
  const highest = new Map<string, number>()
  const out: string[] = []
  for (const event of who.events) {
    if (event.kind !== 'message' || event.message.status === undefined) continue
    const { messageId, status } = event.message
    if (rank[status] < (highest.get(messageId) ?? 0)) out.push(messageId)
    highest.set(messageId, Math.max(rank[status], highest.get(messageId) ?? 0))
  }
  return out
}

describe('two engines', () => {
  it('go from invite to read receipts', async () => {
    const world = new TestWorld()
    const [alice, bob] = pair(world)
    const id = await meet(alice, bob)
    expect(bob.conversation(id)).toMatchObject({ conversationId: id, messages: 0 })
    await bob.send(id, 'Hello Alice')
    await expect.poll(() => alice.conversation(id)?.unread, soon).toBe(1)
    expect(alice.conversation(id)).toMatchObject({ name: 'Bob', last: { text: 'Hello Alice', mine: false } })
    await alice.send(id, 'Hello Bob')
    await expect.poll(() => bob.texts(id), soon).toEqual(['Hello Alice', 'Hello Bob'])
    expect(bob.conversation(id)).toMatchObject({ name: 'Alice', unread: 1 })
    const statuses = async (who: Person) => (await who.messages(id)).filter((m) => m.mine).map((m) => m.status)
    await expect.poll(() => statuses(bob), soon).toEqual(['delivered'])
    const [, reply] = await bob.messages(id)
    await bob.engine.markRead(id, reply?.position ?? 0)
    expect(bob.conversation(id)?.unread).toBe(0)
    await expect.poll(() => statuses(alice), soon).toEqual(['read'])
    expect(alice.conversation(id)?.last).toMatchObject({ text: 'Hello Bob', status: 'read' })
  })

  it('bring 200 messages to somebody who is away, once and in order, and tell delivered and read later', async () => {
    const world = new TestWorld()
    const [alice, bob] = pair(world)
    const id = await meet(alice, bob)
    await bob.send(id, 'first')
    await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(1)
    await alice.send(id, 'second')
    await expect.poll(() => bob.conversation(id)?.messages, soon).toBe(2)
    await bob.close()
    await Promise.all(numbers(1, 200).map((text) => alice.send(id, text)))
    await expect.poll(async () => (await alice.messages(id)).every((m) => m.status !== 'waiting'), soon).toBe(true)
    await alice.close()
    await bob.open()
    await expect.poll(() => bob.conversation(id)?.messages, soon).toBe(202)
    expect(await bob.texts(id)).toEqual(['first', 'second', ...numbers(1, 200)])
    expect(bob.conversation(id)?.unread).toBe(201)
    expect(bob.events.some((event) => event.kind === 'catching-up' && event.waiting > 0)).toBe(true)
    await alice.open()
    const statuses = async () => new Set((await alice.messages(id)).filter((m) => m.mine).map((m) => m.status))
    await expect.poll(statuses, soon).toEqual(new Set(['delivered']))
    await bob.engine.markRead(id, (await bob.messages(id)).at(-1)?.position ?? 0)
    expect(bob.conversation(id)?.unread).toBe(0)
    await expect.poll(statuses, soon).toEqual(new Set(['read']))
  })

  it.each([1, 2, 3])('lose, repeat and mix up nothing over a network that does all of it (seed %i)', async (seed) => {
    const world = new TestWorld(seed)
    const [alice, bob] = pair(world)
    const id = await meet(alice, bob)
    await bob.send(id, 'b0')
    await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(1)
    world.faults = { lose: 0.2, loseAnswer: 0.2, swallow: 0.1, duplicate: 0.3, reorder: 0.3, delayMs: 20 }
    const send = async (who: Person, prefix: string): Promise<void> => {
      for (let i = 1; i <= 60; i++) await who.send(id, `${prefix}${i}`)
    }
    await Promise.all([send(alice, 'a'), send(bob, 'b')])
    const complete = async (who: Person) => (await who.messages(id)).length
    await expect.poll(() => Promise.all([complete(alice), complete(bob)]), soon).toEqual([121, 121])
    const delivered = async (who: Person) =>
      (await who.messages(id)).filter((m) => m.mine && m.status !== 'delivered').length
    await expect.poll(() => Promise.all([delivered(alice), delivered(bob)]), soon).toEqual([0, 0])
    for (const who of [alice, bob]) {
      expect(stepsBack(who)).toEqual([])
      const texts = await who.texts(id)
      for (const [prefix, first] of [
        ['a', 1],
        ['b', 0],
      ] as const) {
        const own = texts.filter((text) => text?.startsWith(prefix))
        expect(own).toEqual(numbers(first, 60).map((number) => `${prefix}${number}`))
      }
    }
  })

  it('use a direct link at once, also for receipts and typing, while the relay is down', async () => {
    const world = new TestWorld()
    const slow = { pace: { receiptMailboxMs: [600_000, 600_000] } } as const
    const [alice, bob] = pair(world, slow)
    const id = await meet(alice, bob)
    await bob.send(id, 'hello')
    await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(1)
    await alice.send(id, 'hello to you')
    await expect.poll(() => bob.conversation(id)?.messages, soon).toBe(2)
    const [one, other] = [...world.connections.values()]
    if (!one || !other) throw new Error('both are connected')
    expect(await world.link(one, other)).toBe(true)
    world.direct = true
    world.relayUp = false
    await expect.poll(() => alice.conversation(id)?.path, soon).toBe('direct')
    await alice.send(id, 'direct')
    await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).toBe('delivered')
    expect((await bob.texts(id)).at(-1)).toBe('direct')
    await bob.engine.typing(id)
    await expect.poll(() => alice.conversation(id)?.typing, soon).toBe(true)
    await bob.send(id, 'done typing')
    await expect.poll(() => alice.conversation(id)?.last?.text, soon).toBe('done typing')
    expect(alice.conversation(id)?.typing).toBe(false)
  })

  it.each([3_600_000, -3_600_000])(
    'keep the order of a dialogue when one clock is off by %i ms',
    async (clockOffsetMs) => {
      const world = new TestWorld()
      const alice = person({ world, name: 'Alice' })
      const bob = person({ world, name: 'Bob', clockOffsetMs: () => clockOffsetMs })
      const id = await meet(alice, bob)
      const said: string[] = []
      for (let i = 0; i < 8; i++) {
        const who = i % 2 ? alice : bob
        said.push(`${i}`)
        await who.send(id, `${i}`)
        await expect.poll(() => Promise.all([alice.texts(id), bob.texts(id)]), soon).toEqual([said, said])
      }
      const future = (await alice.messages(id)).filter((message) => message.sentAtMs > Date.now())
      expect(future).toEqual([])
      const ahead = (await bob.messages(id)).filter((message) => message.sentAtMs > Date.now() + clockOffsetMs)
      expect(ahead).toEqual([])
    },
  )

  it('write before there is a session, and send it all when the other side can be reached', async () => {
    const world = new TestWorld()
    const [alice, bob] = pair(world)
    await Promise.all([alice.onboard(), bob.onboard()])
    const invite = await alice.invite()
    world.relayUp = false
    const id = await bob.accept(invite)
    for (const text of numbers(1, 30)) await bob.send(id, text)
    expect((await bob.messages(id)).every((message) => message.status === 'waiting')).toBe(true)
    await bob.close()
    world.relayUp = true
    await bob.open()
    await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(30)
    expect(await alice.texts(id)).toEqual(numbers(1, 30))
    await expect.poll(async () => (await bob.messages(id)).at(-1)?.status, soon).toBe('delivered')
  })

  it('keep a second use of an invite as a request that nobody sees or answers', async () => {
    const world = new TestWorld()
    const [alice, bob] = pair(world)
    const mallory = person({ world, name: 'Mallory' })
    await Promise.all([alice.onboard(), bob.onboard(), mallory.onboard()])
    const invite = await alice.invite()
    const id = await bob.accept(invite)
    await expect.poll(() => alice.conversation(id)?.name, soon).toBe('Bob')
    const other = await mallory.accept(invite)
    await mallory.send(other, 'me too')
    await expect.poll(async () => (await mallory.messages(other))[0]?.status, soon).toBe('sent')
    await expect.poll(async () => (await alice.texts(other)).length, soon).toBe(1)
    expect(alice.conversation(other)).toBeUndefined()
    await alice.close()
    await alice.open()
    expect(alice.conversation(other)).toBeUndefined()
    expect((await mallory.messages(other))[0]?.status).toBe('sent')
  })

  it('send the receipts that were owed when the browser was closed', async () => {
    const world = new TestWorld()
    const alice = person({ world, name: 'Alice', pace: { offerAgainMs: [600_000, 600_000] } })
    const pace: { receiptMailboxMs: [number, number] } = { receiptMailboxMs: [5, 10] }
    const bob = person({ world, name: 'Bob', pace })
    const id = await meet(alice, bob)
    await expect.poll(() => alice.conversation(id)?.name, soon).toBe('Bob')
    await bob.close()
    pace.receiptMailboxMs = [600_000, 600_000]
    await bob.open()
    await alice.send(id, 'are you there?')
    await expect.poll(() => bob.conversation(id)?.messages, soon).toBe(1)
    expect((await alice.messages(id))[0]?.status).not.toBe('delivered')
    await bob.close()
    pace.receiptMailboxMs = [5, 10]
    await bob.open()
    await expect.poll(async () => (await alice.messages(id))[0]?.status, soon).toBe('delivered')
  })

  it('agree on the safety number', async () => {
    const [alice, bob] = pair(new TestWorld())
    const id = await meet(alice, bob)
    await bob.send(id, 'hi')
    await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(1)
    const [ours, theirs] = await Promise.all([alice.engine.safetyNumber(id), bob.engine.safetyNumber(id)])
    expect(ours.digits).toMatch(/^\d{60}$/)
    expect(theirs).toEqual(ours)
  })

  it('show a new name on the other side, and forget everything on wipe', async () => {
    const [alice, bob] = pair(new TestWorld())
    const id = await meet(alice, bob)
    await expect.poll(() => bob.conversation(id)?.name, soon).toBe('Alice')
    await alice.engine.setName('Alicia')
    await expect.poll(() => bob.conversation(id)?.name, soon).toBe('Alicia')
    await bob.engine.wipe()
    await bob.open()
    expect(bob.accountId).toBeUndefined()
  })
})
