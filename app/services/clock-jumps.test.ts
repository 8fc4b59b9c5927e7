import { afterEach, describe, expect, it } from 'vitest'
import { envelopeId } from '../../protocol/envelope/envelope.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import { dayMs, hourMs, minuteMs } from '../../protocol/wire/limits.ts'
import { openIndexedDbStore } from '../store/indexed-db-store.ts'
import { prekeyTable } from '../store/records/prekey.ts'
import { receiptTable } from '../store/records/receipt.ts'
import { meet, Person, random } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const soon = { timeout: 20_000, interval: 20 }
const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

/** Both know each other's names. */
const acquaint = async (alice: Person, bob: Person): Promise<string> => {
  const id = await meet(alice, bob)
  await expect.poll(() => [alice.conversation(id)?.name, bob.conversation(id)?.name], soon).toEqual(['Bob', 'Alice'])
  return id
}

const reopen = async (who: Person): Promise<void> => {
  await who.close()
  await who.open()
}

/** How far each message of one's own has come. */
const statuses = async (who: Person, id: string): Promise<(string | undefined)[]> =>
  (await who.messages(id)).filter((message) => message.mine).map((message) => message.status)

/** Those of one sender, in the order on somebody's screen. */
const fromOne = async (who: Person, id: string, prefix: string): Promise<(string | undefined)[]> =>
  (await who.texts(id)).filter((text) => text?.startsWith(prefix))

/** Envelopes that were handed over since, and how many of them more than once. */
const traffic = (world: TestWorld, since: number): { all: number; repeats: number } => {
  const sent = world.seen.slice(since).map(({ envelope }) => toHex(envelopeId(envelope)))
  return { all: sent.length, repeats: sent.length - new Set(sent).size }
}

/** What jumps is Alice's clock, Bob's stays right; repeats come as rarely as in real life, so that each one shows. */
const apart = (offset: { ms: number }): { world: TestWorld; alice: Person; bob: Person } => {
  const world = new TestWorld()
  const pace = { offerAgainMs: [minuteMs, 6 * hourMs] as const }
  const alice = new Person({ world, name: 'Alice', pace, clockOffsetMs: () => offset.ms })
  const bob = new Person({ world, name: 'Bob', pace })
  people.push(alice, bob)
  return { world, alice, bob }
}

describe('a clock that jumps a day forth and back', () => {
  it.each(['while the app runs', 'while it is closed'])(
    '%s loses, doubles and disorders nothing, and sets off no storm',
    async (when) => {
      const offset = { ms: 0 }
      const { world, alice, bob } = apart(offset)
      const id = await acquaint(alice, bob)
      const jumps = [0, dayMs, 0, -dayMs, 0]
      for (const [round, ms] of jumps.entries()) {
        if (when === 'while it is closed') await alice.close()
        offset.ms = ms
        if (when === 'while it is closed') await alice.open()
        const before = world.seen.length
        const upTo = 3 * (round + 1)
        for (let n = upTo - 3; n < upTo; n++) await Promise.all([alice.send(id, `a${n}`), bob.send(id, `b${n}`)])
        const delivered = Array.from({ length: upTo }, () => 'delivered')
        await expect
          .poll(() => Promise.all([statuses(alice, id), statuses(bob, id)]), soon)
          .toEqual([delivered, delivered])
        const { all, repeats } = traffic(world, before)
        // Six messages, a receipt for each at most, and what is told once when two meet.
        expect(all).toBeLessThanOrEqual(20)
        expect(repeats).toBe(0)
      }
      for (const who of [alice, bob]) {
        for (const prefix of ['a', 'b']) {
          expect(await fromOne(who, id, prefix)).toEqual(Array.from({ length: 15 }, (_, n) => `${prefix}${n}`))
        }
      }
    },
    60_000,
  )

  it.each([true, false])(
    'does not keep a lost message from being offered again (closed meanwhile: %s)',
    async (closed) => {
      const offset = { ms: 0 }
      const { world, alice, bob } = apart(offset)
      const id = await acquaint(alice, bob)
      await alice.send(id, 'before')
      await expect.poll(() => statuses(alice, id), soon).toEqual(['delivered'])
      offset.ms = dayMs
      world.faults = { swallow: 1 }
      await alice.send(id, 'lost at a relay')
      await expect.poll(() => statuses(alice, id), soon).toEqual(['delivered', 'sent'])
      world.faults = {}
      offset.ms = 0
      if (closed) await reopen(alice)
      // Something to wake the schedule of an engine that has run on.
      await alice.send(id, 'after')
      await expect.poll(() => statuses(alice, id), soon).toEqual(['delivered', 'delivered', 'delivered'])
      expect(await bob.texts(id)).toEqual(['before', 'lost at a relay', 'after'])
    },
    60_000,
  )

  it('does not keep a lost receipt from being told again', async () => {
    const offset = { ms: 0 }
    const { world, alice, bob } = apart(offset)
    const id = await acquaint(alice, bob)
    await bob.send(id, 'before')
    await expect.poll(() => statuses(bob, id), soon).toEqual(['delivered'])
    offset.ms = dayMs
    await alice.close()
    await bob.send(id, 'receipted in vain')
    await expect.poll(() => statuses(bob, id), soon).toEqual(['delivered', 'sent'])
    world.faults = { swallow: 1 }
    await alice.open()
    await expect.poll(() => alice.texts(id), soon).toEqual(['before', 'receipted in vain'])
    await expect.poll(() => owedReceipts(alice), soon).toBe(0)
    expect(await statuses(bob, id)).toEqual(['delivered', 'sent'])
    world.faults = {}
    offset.ms = 0
    // The same bytes once more, as Bob's outbox offers them.
    const copy = world.seen.findLast(({ from }) => from === bob.accountId)
    const [mailbox] = [...world.mailboxes.values()].filter(({ owner }) => owner?.accountOf() === alice.accountId)
    await mailbox?.owner?.listener.onEnvelopes({ kind: 'mailbox', relayKey: world.relayKey, waiting: 0 }, [
      { envelope: copy?.envelope ?? new Uint8Array() },
    ])
    await expect.poll(() => statuses(bob, id), soon).toEqual(['delivered', 'delivered'])
  }, 60_000)
})

describe('a device that was asleep for a week', () => {
  it.each(['its browser closed', 'its relay out of reach'])(
    'takes up everything that waited, without a storm: %s',
    async (how) => {
      const passed = { ms: 0 }
      const world = new TestWorld()
      const options = { world, clockOffsetMs: () => passed.ms, pace: { offerAgainMs: [minuteMs, 6 * hourMs] as const } }
      const alice = new Person({ ...options, name: 'Alice' })
      const bob = new Person({ ...options, name: 'Bob' })
      const carol = new Person({ ...options, name: 'Carol' })
      people.push(alice, bob, carol)
      const id = await acquaint(alice, bob)
      await bob.send(id, 'b0')
      await alice.send(id, 'a0')
      await expect
        .poll(() => Promise.all([statuses(alice, id), statuses(bob, id)]), soon)
        .toEqual([['delivered'], ['delivered']])
      const invite = await alice.invite()
      const signedBefore = await newestSigned(alice)

      if (how === 'its browser closed') await alice.close()
      else world.relayUp = false
      for (let day = 1; day <= 7; day++) {
        passed.ms = day * dayMs
        for (let n = 0; n < 4; n++) await bob.send(id, `b${4 * day - 3 + n}`)
      }
      const [asleep, logsAsked, counted] = [world.seen.length, world.relay.logsAsked, world.counted]
      if (how === 'its browser closed') await alice.open()
      else world.relayUp = true

      const texts = Array.from({ length: 29 }, (_, n) => `b${n}`)
      await expect.poll(() => fromOne(alice, id, 'b'), soon).toEqual(texts)
      await alice.send(id, 'a1')
      const delivered = (count: number): string[] => Array.from({ length: count }, () => 'delivered')
      await expect
        .poll(() => Promise.all([statuses(alice, id), statuses(bob, id)]), soon)
        .toEqual([delivered(2), delivered(29)])
      // 29 messages once or twice, and some receipts.
      expect(traffic(world, asleep).all).toBeLessThanOrEqual(80)
      expect(world.relay.logsAsked - logsAsked).toBeLessThanOrEqual(10)
      expect(world.counted - counted).toBeLessThanOrEqual(10)

      // Keys are of this week again, whoever has last week's invite can use it, and everything goes on.
      await reopen(alice)
      await expect.poll(() => newestSigned(alice), soon).toBeGreaterThan(signedBefore + 6 * dayMs)
      await carol.onboard()
      const other = await carol.accept(invite)
      await carol.send(other, 'late, and welcome')
      await expect.poll(() => alice.texts(other).catch(() => []), soon).toEqual(['late, and welcome'])
      await expect.poll(() => statuses(carol, other), soon).toEqual(['delivered'])
    },
    60_000,
  )
})

/** How many messages have no receipt yet that left here. */
const owedReceipts = async ({ database }: Person): Promise<number> => {
  const store = await openIndexedDbStore({ name: database, random })
  const rows = await store.read((tx) => tx.list(receiptTable))
  store.close()
  return rows.length
}

/** When the newest signed prekey was made. */
const newestSigned = async ({ database }: Person): Promise<number> => {
  const store = await openIndexedDbStore({ name: database, random })
  const prekeys = await store.read((tx) => tx.list(prekeyTable))
  store.close()
  return Math.max(...prekeys.filter(({ kind }) => kind === 'signed').map(({ createdAtMs }) => createdAtMs))
}
