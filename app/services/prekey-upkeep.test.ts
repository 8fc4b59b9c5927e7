import { afterEach, expect, it } from 'vitest'
import type { PrekeyKind } from '../../protocol/identity/prekeys.ts'
import { fromHex } from '../../protocol/wire/bytes.ts'
import { dayMs, hourMs } from '../../protocol/wire/limits.ts'
import { ownVersions } from '../../protocol/wire/versions.ts'
import { openIndexedDbStore } from '../store/indexed-db-store.ts'
import { accountTable } from '../store/records/account.ts'
import { handshakeTable } from '../store/records/handshake.ts'
import { prekeyTable } from '../store/records/prekey.ts'
import { Person, random } from './person.fixture.ts'
import { inStore } from './repair.fixture.ts'
import { createTestNetwork } from './engine-network.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const soon = { timeout: 20_000, interval: 20 }
const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

const secretsOf = async ({ database }: Person) => {
  const store = await openIndexedDbStore({ name: database, random })
  const [secrets, handshakes] = await store.read(async (tx) => [
    await tx.list(prekeyTable),
    await tx.list(handshakeTable),
  ])
  store.close()
  const count = (kind: PrekeyKind): number => secrets.filter((secret) => secret.kind === kind).length
  return {
    oneTime: count('one-time'),
    oneTimeKem: count('one-time-kem'),
    signed: count('signed'),
    handshakes: handshakes.length,
  }
}

it('spends one-time prekeys once, makes up for them below 20, rotates and forgets signed ones', async () => {
  const world = new TestWorld()
  let offset = 0
  const alice = new Person({ world, name: 'Alice', clockOffsetMs: () => offset })
  const bob = new Person({ world, name: 'Bob', clockOffsetMs: () => offset })
  people.push(alice, bob)
  await Promise.all([alice.onboard(), bob.onboard()])
  const published = (kind: PrekeyKind): number =>
    (world.prekeys.get(alice.accountId ?? '') ?? []).filter((prekey) => prekey.kind === kind).length
  await expect.poll(() => [published('one-time'), published('one-time-kem')], soon).toEqual([100, 100])
  expect(await secretsOf(alice)).toEqual({ oneTime: 100, oneTimeKem: 100, signed: 1, handshakes: 0 })

  const id = await bob.accept(await alice.invite())
  await expect.poll(() => alice.conversation(id)?.name, soon).toBe('Bob')
  expect(await secretsOf(alice)).toEqual({ oneTime: 99, oneTimeKem: 99, signed: 1, handshakes: 1 })

  const left = (world.prekeys.get(alice.accountId ?? '') ?? []).filter((p) => p.kind !== 'one-time' || p.id % 10 === 0)
  world.prekeys.set(alice.accountId ?? '', left)
  const ids = new Set(left.map((prekey) => prekey.id))
  await alice.close()
  await alice.open()
  await expect.poll(() => published('one-time'), soon).toBe(100)
  const fresh = (world.prekeys.get(alice.accountId ?? '') ?? []).filter((prekey) => !ids.has(prekey.id))
  expect(new Set(fresh.map((prekey) => prekey.id)).size).toBe(fresh.length)

  offset = 49 * hourMs
  await alice.close()
  await alice.open()
  await expect.poll(() => published('signed'), soon).toBe(2)
  expect((await secretsOf(alice)).signed).toBe(2)

  // 45 days after its replacement, and not before, the old one goes, and the handshakes that used it.
  offset += 44 * dayMs
  await alice.close()
  await alice.open()
  await expect.poll(() => published('signed'), soon).toBe(3)
  expect(await secretsOf(alice)).toMatchObject({ signed: 3, handshakes: 1 })
  offset += 2 * dayMs
  await alice.close()
  await alice.open()
  await expect.poll(async () => (await secretsOf(alice)).handshakes, soon).toBe(0)
}, 60_000)

it('gives a relay that lost its database everything again', async () => {
  const world = new TestWorld()
  const alice = new Person({ world, name: 'Alice' })
  const bob = new Person({ world, name: 'Bob' })
  people.push(alice, bob)
  await alice.onboard()
  const published = (kind: PrekeyKind): number =>
    (world.prekeys.get(alice.accountId ?? '') ?? []).filter((prekey) => prekey.kind === kind).length
  await expect.poll(() => published('one-time-kem'), soon).toBe(100)
  const invite = await alice.invite()
  await alice.close()
  world.loseDatabase()
  await alice.open()
  await expect.poll(() => [published('one-time'), published('one-time-kem')], soon).toEqual([100, 100])
  expect([published('signed'), published('last-resort-kem')]).toEqual([1, 1])
  // The invite made before works: its lane is there again.
  await bob.onboard()
  const id = await bob.accept(invite)
  await expect.poll(() => alice.conversation(id)?.name, soon).toBe('Bob')
}, 60_000)

it('tells an update of the protocol at once, and once', async () => {
  const world = new TestWorld()
  const alice = new Person({ world, name: 'Alice' })
  people.push(alice)
  await alice.onboard()
  const signed = () => (world.prekeys.get(alice.accountId ?? '') ?? []).filter((prekey) => prekey.kind === 'signed')
  await expect.poll(() => signed().map(({ versions }) => versions), soon).toEqual([ownVersions])
  await alice.close()
  await inStore(alice, async (tx) => {
    const account = await tx.get(accountTable, [0])
    if (account) tx.put(accountTable, { ...account, toldVersion: ownVersions.newest - 1 })
  })
  for (let i = 0; i < 2; i++) {
    await alice.open()
    await expect.poll(() => signed().length, soon).toBe(2)
    await alice.close()
  }
}, 60_000)

it('makes up for one-time prekeys as soon as the relay says that they run low', async () => {
  const world = new TestWorld()
  const alice = new Person({ world, name: 'Alice' })
  people.push(alice)
  await alice.onboard()
  const all = () => world.prekeys.get(alice.accountId ?? '') ?? []
  const published = (): number => all().filter((prekey) => prekey.kind === 'one-time').length
  await expect.poll(() => all().filter((prekey) => prekey.kind === 'one-time-kem').length, soon).toBe(100)
  const few = all()
    .filter((prekey) => prekey.kind === 'one-time')
    .slice(20)
  world.prekeys.set(
    alice.accountId ?? '',
    all().filter((prekey) => !few.includes(prekey)),
  )
  expect(published()).toBe(20)
  // Until onboarding counts no more: what is made up from here on follows from the notice.
  let [counted, quiet] = [-1, 0]
  await expect
    .poll(() => {
      quiet = world.counted === counted ? quiet + 1 : 0
      counted = world.counted
      return quiet
    }, soon)
    .toBeGreaterThan(25)
  // Nothing of it reaches Alice but the relay's word: no handshake follows.
  const asker = createTestNetwork(
    world,
    () => new Uint8Array(32),
    () => undefined,
  )
  await asker.fetchBundles({ relayKey: world.relayKey, addresses: [] }, fromHex(alice.accountId ?? ''))
  await expect.poll(published, soon).toBe(100)
}, 60_000)
