import { openDB } from 'idb'
import { afterEach, describe, expect, it } from 'vitest'
import { readEnvelope } from '../../protocol/session/session.ts'
import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import { dayMs, hourMs } from '../../protocol/wire/limits.ts'
import { contactTable } from '../store/records/contact.ts'
import { failureTable } from '../store/records/failure.ts'
import { outboxTable } from '../store/records/outbox.ts'
import { sessionTable } from '../store/records/session.ts'
import { meet, Person, random, type PersonOptions } from './person.fixture.ts'
import { agree, backUp, deliverTo, handshakesOf, inStore, loseSessions, repairBy } from './repair.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const soon = { timeout: 40_000, interval: 20 }
const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

/** Alice and Bob, each with an answer of the other: their session is confirmed on both sides. */
/**
 * Two who have written to each other; then two seconds pass. Generations count seconds: within one second of the first
 * session, a new one would not be above it.
 */
const couple = async (world: TestWorld, more: Partial<PersonOptions> = {}): Promise<[Person, Person, string]> => {
  let passedMs = 0
  const clockOffsetMs = (): number => passedMs + (more.clockOffsetMs?.() ?? 0)
  const options = { world, ...more, clockOffsetMs }
  const [alice, bob] = [new Person({ ...options, name: 'Alice' }), new Person({ ...options, name: 'Bob' })]
  people.push(alice, bob)
  const id = await meet(alice, bob)
  await bob.send(id, 'b0')
  await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(1)
  await alice.send(id, 'a0')
  await delivered([alice, bob], id)
  passedMs = 2_000
  return [alice, bob, id]
}

const delivered = (who: readonly Person[], id: string): Promise<void> =>
  expect
    .poll(async () => {
      const all = await Promise.all(who.map((person) => person.messages(id)))
      return new Set(all.flat().flatMap((message) => (message.mine ? [message.status] : [])))
    }, soon)
    .toEqual(new Set(['delivered']))

const from = (texts: readonly (string | undefined)[], prefix: string) =>
  texts.filter((text) => text?.startsWith(prefix))

/** As long as a session envelope, and nobody's: version 2, kind session, then noise. */
const garbage = (): Uint8Array => {
  const envelope = random(336)
  envelope[0] = 0x24
  return envelope
}

describe('a session that is lost', () => {
  it('on one side is replaced with the next message, which arrives once and in order', async () => {
    const world = new TestWorld()
    const [alice, bob, id] = await couple(world)
    await bob.close()
    for (const text of ['a1', 'a2', 'a3']) await alice.send(id, text)
    await bob.open()
    await delivered([alice], id)
    await loseSessions(bob)
    const before = world.seen.length
    for (const text of ['a4', 'a5', 'a6']) await alice.send(id, text)
    await delivered([alice], id)
    expect(from(await bob.texts(id), 'a')).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6'])
    expect(handshakesOf(world, bob, before)).toBe(1)
    expect(handshakesOf(world, alice, before)).toBe(0)
    await bob.send(id, 'b1')
    await delivered([alice, bob], id)
    await agree(alice, bob)
  }, 60_000)

  it('on both sides at once, while both write, loses nothing and ends in one session', async () => {
    const world = new TestWorld()
    const [alice, bob, id] = await couple(world)
    // What is on its way meets the loss.
    await Promise.all([alice.close(), bob.close()])
    await alice.open()
    await alice.send(id, 'a1')
    await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).toBe('sent')
    await Promise.all([loseSessions(alice), loseSessions(bob)])
    await Promise.all(
      [alice, bob].flatMap((who, i) => ['2', '3', '4'].map((n) => who.send(id, `${i ? 'b' : 'a'}${n}`))),
    )
    await delivered([alice, bob], id)
    for (const who of [alice, bob]) {
      expect(from(await who.texts(id), 'a')).toEqual(['a0', 'a1', 'a2', 'a3', 'a4'])
      expect(from(await who.texts(id), 'b')).toEqual(['b0', 'b2', 'b3', 'b4'])
    }
    await alice.send(id, 'a5')
    await bob.send(id, 'b5')
    await delivered([alice, bob], id)
    await agree(alice, bob)
  }, 60_000)

  it('is lost too when its row is damaged, and nothing breaks', async () => {
    const world = new TestWorld()
    const [alice, bob, id] = await couple(world)
    await bob.close()
    const raw = await openDB(bob.database)
    for (const key of await raw.getAllKeys('sessions')) {
      const row = (await raw.get('sessions', key)) as object
      await raw.put('sessions', { ...row, v: random(200) }, key)
    }
    raw.close()
    await bob.open()
    await alice.send(id, 'a1')
    await delivered([alice], id)
    expect(from(await bob.texts(id), 'a')).toEqual(['a0', 'a1'])
    expect(await inStore(bob, (tx) => tx.list(sessionTable))).toHaveLength(1)
  }, 60_000)

  it('is replaced by one above a confirmed one, whatever the clock of the one who lost it says', async () => {
    const world = new TestWorld()
    let offset = 0
    const [alice, bob] = [
      new Person({ world, name: 'Alice' }),
      new Person({ world, name: 'Bob', clockOffsetMs: () => offset }),
    ]
    people.push(alice, bob)
    const id = await meet(alice, bob)
    await bob.send(id, 'b0')
    await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(1)
    await alice.send(id, 'a0')
    await delivered([alice, bob], id)
    offset = -3 * hourMs
    await loseSessions(bob)
    await bob.send(id, 'b1')
    await expect.poll(async () => from(await alice.texts(id), 'b'), soon).toEqual(['b0', 'b1'])
    await alice.send(id, 'a1')
    await delivered([alice, bob], id)
    expect(from(await bob.texts(id), 'a')).toEqual(['a0', 'a1'])
    await bob.send(id, 'b2')
    await delivered([bob], id)
    await agree(alice, bob)
  }, 60_000)

  it('is sent nothing on again, although the asking handshake stands below it', async () => {
    const world = new TestWorld()
    let offset = 0
    const calm = { offerAgainMs: [600_000, 600_000] } as const
    const [alice, bob] = [
      new Person({ world, name: 'Alice', pace: calm }),
      new Person({ world, name: 'Bob', pace: calm, clockOffsetMs: () => offset }),
    ]
    people.push(alice, bob)
    const id = await meet(alice, bob)
    await bob.send(id, 'b0')
    await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(1)
    await alice.send(id, 'a0')
    await delivered([alice, bob], id)
    await bob.close()
    await alice.send(id, 'a1')
    await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).toBe('sent')
    const before = world.seen.length
    offset = -3 * hourMs
    await loseSessions(bob)
    await delivered([alice], id)
    expect(from(await bob.texts(id), 'a')).toEqual(['a0', 'a1'])
    const [first] = world.seen.slice(before).filter((one) => one.from === alice.accountId)
    expect(first && readEnvelope(first.envelope).kind).toBe('prekey')
  }, 60_000)

  it('heals when an old copy of the database comes back', async () => {
    const world = new TestWorld()
    const [alice, bob, id] = await couple(world)
    await alice.close()
    const restore = await backUp(alice)
    await alice.open()
    for (let i = 1; i <= 6; i++) {
      await alice.send(id, `a${i}`)
      await bob.send(id, `b${i}`)
      await delivered([alice, bob], id)
    }
    await alice.close()
    await restore()
    await alice.open()
    // Under numbers that Bob has seen: he takes them for repeats.
    await alice.send(id, 'a-after')
    await bob.send(id, 'b-after')
    await delivered([alice, bob], id)
    expect(from(await bob.texts(id), 'a-after')).toEqual(['a-after'])
    expect(from(await alice.texts(id), 'b-after')).toEqual(['b-after'])
    await agree(alice, bob)
  }, 60_000)
})

describe('a repair', () => {
  it('that is lost comes again in an hour, and one that is repeated changes nothing', async () => {
    const world = new TestWorld()
    let offset = 0
    const [alice, bob, id] = await couple(world, { clockOffsetMs: () => offset })
    await bob.close()
    await alice.send(id, 'a1')
    await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).toBe('sent')
    const before = world.seen.length
    world.faults = { swallow: 1 }
    await loseSessions(bob)
    await expect.poll(() => handshakesOf(world, bob, before), soon).toBe(1)
    expect((await alice.messages(id)).at(-1)?.status).toBe('sent')
    world.faults = { duplicate: 1 }
    offset = hourMs + 1
    await delivered([alice], id)
    expect(from(await bob.texts(id), 'a')).toEqual(['a0', 'a1'])
    expect(handshakesOf(world, bob, before)).toBe(2)
  }, 60_000)

  it('is asked for after a restart, when the browser was closed in the middle', async () => {
    const world = new TestWorld()
    const [alice, bob, id] = await couple(world)
    world.relayUp = false
    await alice.send(id, 'a1')
    await expect.poll(() => world.seen.at(-1)?.from, soon).toBe(alice.accountId)
    await loseSessions(bob)
    const last = world.seen.findLast((one) => one.from === alice.accountId)
    // The envelope came just before everything went dark.
    expect(await deliverTo(world, bob, alice, [last?.envelope ?? garbage()])).toEqual([true])
    const failures = await inStore(bob, (tx) => tx.list(failureTable))
    expect(failures.map((row) => row.askedAtMs)).toEqual([undefined])
    await bob.close()
    world.relayUp = true
    world.mailboxes.forEach((mailbox) => mailbox.waiting.splice(0))
    await bob.open()
    await delivered([alice], id)
    expect(from(await bob.texts(id), 'a')).toEqual(['a0', 'a1'])
  }, 60_000)

  it('is bounded while a relay makes up a thousand envelopes', async () => {
    const world = new TestWorld()
    let offset = 0
    const [alice, bob, id] = await couple(world, { clockOffsetMs: () => offset })
    const before = world.seen.length
    const spent = () => world.prekeys.get(bob.accountId ?? '')?.filter((one) => one.kind === 'one-time').length
    const oneTime = spent() ?? 0
    for (let i = 0; i < 20; i++) await deliverTo(world, alice, bob, Array.from({ length: 50 }, garbage))
    await expect.poll(() => handshakesOf(world, alice, before), soon).toBe(1)
    const failures = () => inStore(alice, (tx) => tx.list(failureTable))
    expect(await failures()).toHaveLength(400)
    await expect.poll(async () => (await failures()).filter((row) => row.askedAtMs === undefined), soon).toEqual([])
    // An hour later, one more; within the two hours after that, none.
    offset = hourMs + 1
    await deliverTo(world, alice, bob, [garbage()])
    await expect.poll(() => handshakesOf(world, alice, before), soon).toBe(2)
    offset += hourMs
    await deliverTo(world, alice, bob, [garbage()])
    await alice.send(id, 'a1')
    await bob.send(id, 'b1')
    await delivered([alice, bob], id)
    expect(handshakesOf(world, alice, before)).toBe(2)
    expect(handshakesOf(world, bob, before)).toBe(0)
    expect(oneTime - (spent() ?? 0)).toBe(2)
    await agree(alice, bob)
  }, 90_000)

  it('is not begun by what a stranger, or nobody, has sent', async () => {
    const world = new TestWorld()
    const [alice] = await couple(world)
    const before = world.seen.length
    const [connection] = [...world.connections.values()].filter((one) => one.accountOf() === alice.accountId)
    const source = { kind: 'mailbox', relayKey: world.relayKey, waiting: 0 } as const
    await connection?.listener.onEnvelopes(source, [{ envelope: garbage() }])
    expect(await inStore(alice, (tx) => tx.list(failureTable))).toEqual([])
    expect(handshakesOf(world, alice, before)).toBe(0)
  }, 60_000)

  it('makes a message be sent again three times at most', async () => {
    const world = new TestWorld()
    const calm = { offerAgainMs: [600_000, 600_000] } as const
    const [alice, bob, id] = await couple(world, { pace: calm })
    await bob.close()
    await alice.send(id, 'a1')
    const row = async () => (await inStore(alice, (tx) => tx.list(outboxTable))).find((one) => one.messageId)
    const versions = new Set<string>()
    for (let i = 0; i < 6; i++) {
      const { envelope = garbage() } = (await row()) ?? {}
      versions.add(toHex(envelope))
      expect(await deliverTo(world, alice, bob, [await repairBy(bob, alice, envelope)])).toEqual([true])
    }
    expect(versions.size).toBe(4)
    expect(await row()).toMatchObject({ renewals: 3 })
    // The last bytes are the ones that open.
    await bob.open()
    await delivered([alice], id)
    expect(from(await bob.texts(id), 'a')).toEqual(['a0', 'a1'])
  }, 60_000)
})

it('a message encrypted anew while its old bytes are just leaving is offered at once', async () => {
  const world = new TestWorld()
  const [alice, bob, id] = await couple(world, { pace: { offerAgainMs: [600_000, 600_000] } })
  await bob.close()
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  world.delay = () => gate
  const before = world.seen.length
  await alice.send(id, 'a1')
  await expect.poll(() => world.seen.length, soon).toBe(before + 1)
  const old = world.seen[before]?.envelope ?? garbage()
  expect(await deliverTo(world, alice, bob, [await repairBy(bob, alice, old)])).toEqual([true])
  release()
  const offered = (): number => new Set(world.seen.slice(before).map((one) => toHex(one.envelope))).size
  await expect.poll(offered, soon).toBe(2)
}, 60_000)

it('what is asked for and gone is answered with name and lanes, once an hour', async () => {
  const world = new TestWorld()
  const [alice, bob] = await couple(world)
  await bob.close()
  const sent = () => world.seen.filter((one) => one.from === alice.accountId).length
  const before = sent()
  for (let i = 0; i < 3; i++) {
    expect(await deliverTo(world, alice, bob, [await repairBy(bob, alice, garbage())])).toEqual([true])
  }
  await expect.poll(sent, soon).toBe(before + 1)
  const rows = await inStore(alice, (tx) => tx.list(outboxTable))
  expect(rows.filter((row) => !row.messageId).length).toBeLessThanOrEqual(1)
}, 60_000)

it('a device that the contact has taken from its log is sent nothing again', async () => {
  const world = new TestWorld()
  const [alice, bob, id] = await couple(world, { pace: { offerAgainMs: [600_000, 600_000] } })
  await bob.close()
  await alice.send(id, 'a1')
  await expect.poll(async () => (await alice.messages(id)).at(-1)?.status, soon).toBe('sent')
  const row = async () => (await inStore(alice, (tx) => tx.list(outboxTable))).find((one) => one.messageId)
  const before = await row()
  const repair = await repairBy(bob, alice, before?.envelope ?? garbage())
  await inStore(alice, async (tx) => {
    const contact = await tx.get(contactTable, [fromHex(bob.accountId ?? '')])
    const devices = contact?.devices.map((device) => ({ ...device, deviceId: random(16) })) ?? []
    if (contact) tx.put(contactTable, { ...contact, devices })
  })
  expect(await deliverTo(world, alice, bob, [repair])).toEqual([true])
  expect(await row()).toEqual(before)
}, 60_000)

it('an opening that nobody answers for 7 days is made again with fresh prekeys, and its message arrives once', async () => {
  const world = new TestWorld()
  let offset = 0
  const [alice, bob] = [
    new Person({ world, name: 'Alice', clockOffsetMs: () => offset }),
    new Person({ world, name: 'Bob', clockOffsetMs: () => offset }),
  ]
  people.push(alice, bob)
  await Promise.all([alice.onboard(), bob.onboard()])
  const invite = await alice.invite()
  await alice.close()
  const id = await bob.accept(invite)
  await bob.send(id, 'b1')
  await expect.poll(async () => (await bob.messages(id)).at(-1)?.status, soon).toBe('sent')
  const first = handshakesOf(world, bob)
  // What waited is gone, and with it the only copies.
  for (const mailbox of world.mailboxes.values()) mailbox.waiting.splice(0)
  offset = 6 * dayMs
  await bob.close()
  await bob.open()
  expect(handshakesOf(world, bob)).toBe(first)
  offset = 7 * dayMs + hourMs
  await bob.close()
  await bob.open()
  await expect.poll(() => handshakesOf(world, bob), soon).toBe(first + 1)
  await alice.open()
  await delivered([bob], id)
  expect(await alice.texts(id)).toEqual(['b1'])
}, 60_000)
