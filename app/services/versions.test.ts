import { afterEach, expect, it } from 'vitest'
import { generatePrekeys, type SignedPublicKey } from '../../protocol/identity/prekeys.ts'
import { dayMs } from '../../protocol/wire/limits.ts'
import type { VersionRange } from '../../protocol/wire/versions.ts'
import { accountTable } from '../store/records/account.ts'
import { heldTable } from '../store/records/held.ts'
import { meet, Person, random } from './person.fixture.ts'
import { deliverTo, inStore, sealedBy } from './repair.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const soon = { timeout: 40_000, interval: 20 }
const people: Person[] = []
const person = (world: TestWorld, name: string, clockOffsetMs = (): number => 0): Person => {
  const made = new Person({ world, name, clockOffsetMs })
  people.push(made)
  return made
}
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

const problems = ({ events }: Person): string[] =>
  events.filter((event) => event.kind === 'problem').map((event) => event.problem.message)

it('keeps what a newer version sent, says so once per contact, and opens it after the update', async () => {
  const world = new TestWorld()
  const [alice, bob] = [person(world, 'Alice'), person(world, 'Bob')]
  const id = await meet(alice, bob)
  await bob.send(id, 'b0')
  await expect.poll(() => alice.conversation(id)?.messages, soon).toBe(1)
  /** Version 3, then whatever it will be. */
  const newer = (): Uint8Array => random(400).with(0, 0x34)
  const first = newer()
  expect(await deliverTo(world, alice, bob, [first, newer(), first])).toEqual([true, true, true])
  expect(await deliverTo(world, alice, bob, Array.from({ length: 40 }, newer))).not.toContain(false)
  expect(await deliverTo(world, alice, bob, Array.from({ length: 40 }, newer))).not.toContain(false)
  const held = await inStore(alice, (tx) => tx.list(heldTable))
  expect(held).toHaveLength(64)
  expect(held.find((row) => row.envelope.every((byte, i) => byte === first[i]))).toBeDefined()
  expect(problems(alice)).toEqual([
    'Bob writes with a newer version of Sotto. Reload the page to get it; what was sent is kept until then.',
  ])
  // No reason for a repair, and the conversation goes on.
  await bob.send(id, 'b1')
  await expect.poll(() => alice.texts(id), soon).toEqual(['b0', 'b1'])

  // What version 1 could not open, this one can.
  await Promise.all([alice.close(), bob.close()])
  const envelope = await sealedBy(bob, alice, { sequence: 3, body: { kind: 'text', text: 'b2' } })
  await inStore(alice, async (tx) => {
    const [row] = await tx.list(heldTable)
    if (row) tx.put(heldTable, { ...row, envelopeId: random(16), envelope, triedVersion: 1 })
    // One that came through an invite, and that this version cannot open either.
    const [, other] = await tx.list(heldTable)
    if (other) {
      const { contactId: _, ...nobodys } = other
      tx.put(heldTable, { ...nobodys, triedVersion: 1 })
    }
  })
  alice.events = []
  await alice.open()
  await expect.poll(() => alice.texts(id), soon).toEqual(['b0', 'b1', 'b2'])
  await expect.poll(() => inStore(alice, (tx) => tx.list(heldTable)), soon).toHaveLength(64)
  // Tried after the one that opened, in a step of its own.
  const triedOfNobody = async () => {
    const kept = await inStore(alice, (tx) => tx.list(heldTable))
    return kept.filter(({ contactId }) => contactId === undefined).map(({ triedVersion }) => triedVersion)
  }
  await expect.poll(triedOfNobody, soon).toEqual([2])
  expect(problems(alice)).toEqual([])
}, 60_000)

/** Publishes a signed prekey of a device that speaks these versions, or says nothing of them. */
const publishVersions = async (world: TestWorld, who: Person, versions: VersionRange): Promise<void> => {
  await who.close()
  const prekey = await inStore(who, async (tx): Promise<SignedPublicKey> => {
    const account = await tx.get(accountTable, [0])
    if (!account) throw new Error('there is an account')
    const { accountId, device } = account
    const made = generatePrekeys({
      ...{ accountId, device, kind: 'signed', firstId: 90_000, count: 1, now: Date.now(), random, versions },
    })
    return made.published[0] as SignedPublicKey
  })
  world.prekeys.get(who.accountId ?? '')?.push(prekey)
}

it.each([
  [
    { oldest: 1, newest: 1 },
    'This contact uses an older version of Sotto that this one cannot write to. What you write waits until they update.',
  ],
  [
    { oldest: 3, newest: 4 },
    'This contact uses a newer version of Sotto. Reload the page to get it; what you write waits until then.',
  ],
])(
  'says what is wrong with a contact that speaks %o, keeps what is written, and sends it later',
  async (versions, text) => {
    const world = new TestWorld()
    let offset = 0
    const [alice, bob] = [person(world, 'Alice'), person(world, 'Bob', () => offset)]
    await Promise.all([alice.onboard(), bob.onboard()])
    const invite = await alice.invite()
    await publishVersions(world, alice, versions)
    const id = await bob.accept(invite)
    await bob.send(id, 'hello')
    await expect.poll(() => problems(bob), soon).toEqual([text])
    expect((await bob.messages(id)).map((message) => message.status)).toEqual(['waiting'])
    const spent = () => (world.prekeys.get(alice.accountId ?? '') ?? []).filter((one) => one.kind === 'one-time').length
    const left = spent()
    // Trying again is for later: each attempt costs the contact a prekey.
    for (let i = 0; i < 3; i++) await bob.send(id, `again ${i}`)
    expect(spent()).toBe(left)
    const all = world.prekeys.get(alice.accountId ?? '') ?? []
    world.prekeys.set(
      alice.accountId ?? '',
      all.filter((prekey) => prekey.id !== 90_000),
    )
    offset = dayMs
    await bob.close()
    await Promise.all([alice.open(), bob.open()])
    await expect.poll(() => alice.texts(id), soon).toEqual(['hello', 'again 0', 'again 1', 'again 2'])
  },
  60_000,
)

it('says once that a relay needs a newer version, and begins nothing there', async () => {
  const world = new TestWorld()
  const alice = person(world, 'Alice')
  await alice.onboard()
  await alice.close()
  alice.events = []
  world.oldestClient = 3
  await alice.open()
  const [connection] = [...world.connections.values()]
  connection?.listener.onRelayState(world.relayKey, 'outdated')
  await expect
    .poll(() => problems(alice), soon)
    .toEqual(['This relay needs a newer Sotto. Reload the page to get it; what you write waits until then.'])
  const bob = person(world, 'Bob')
  await bob.open()
  expect(await bob.engine.createAccount('Bob', [world.address])).toMatchObject({
    ok: false,
    problem: { code: 'version', message: expect.stringContaining('newer Sotto') },
  })
})
