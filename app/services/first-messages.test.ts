import { afterEach, expect, it } from 'vitest'
import { dayMs } from '../../protocol/wire/limits.ts'
import { readEnvelope } from '../../protocol/session/session.ts'
import { envelopeTable } from '../store/records/envelope.ts'
import { outboxTable } from '../store/records/outbox.ts'
import { prekeyKey, prekeyTable } from '../store/records/prekey.ts'
import { remoteDeviceTable } from '../store/records/remote-device.ts'
import { sessionTable } from '../store/records/session.ts'
import { meet, Person } from './person.fixture.ts'
import { agree, deliverTo, handshakesOf, inStore, loseSessions } from './repair.fixture.ts'
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

const numbers = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

it('two who invite and write to each other at once come to one session, with nothing lost or shown twice', async () => {
  const world = new TestWorld()
  const [alice, bob] = [person(world, 'Alice'), person(world, 'Bob')]
  await Promise.all([alice.onboard(), bob.onboard()])
  const invites = await Promise.all([alice.invite(), bob.invite()])
  // Both handshakes are made before either arrives.
  for (const mailbox of world.mailboxes.values()) mailbox.delivering = true
  const [id] = await Promise.all([alice.accept(invites[1]), bob.accept(invites[0])])
  const write = async (who: Person, prefix: string) => {
    for (const text of numbers(prefix, 4)) await who.send(id, text)
  }
  await Promise.all([write(alice, 'a'), write(bob, 'b')])
  await expect.poll(() => [handshakesOf(world, alice), handshakesOf(world, bob)], soon).toEqual([1, 1])
  for (const mailbox of world.mailboxes.values()) {
    mailbox.delivering = false
    void world.deliver(mailbox)
  }
  const statuses = async () => {
    const all = [...(await alice.messages(id)), ...(await bob.messages(id))]
    return new Set(all.flatMap((message) => (message.mine ? [message.status] : [])))
  }
  await expect.poll(statuses, soon).toEqual(new Set(['delivered']))
  await Promise.all([alice.send(id, 'a4'), bob.send(id, 'b4')])
  await expect.poll(statuses, soon).toEqual(new Set(['delivered']))
  for (const who of [alice, bob]) {
    const texts = await who.texts(id)
    expect(texts.filter((text) => text?.startsWith('a'))).toEqual(numbers('a', 5))
    expect(texts.filter((text) => text?.startsWith('b'))).toEqual(numbers('b', 5))
  }
  await agree(alice, bob)
  expect([handshakesOf(world, alice), handshakesOf(world, bob)]).toEqual([1, 1])
}, 60_000)

it('a first message is refused the second time, after restarts and when its session and keys are gone', async () => {
  const world = new TestWorld()
  const [alice, bob] = [person(world, 'Alice'), person(world, 'Bob')]
  const id = await meet(alice, bob)
  await bob.send(id, 'hello')
  await expect.poll(() => alice.texts(id), soon).toEqual(['hello'])
  const openings = world.seen.filter(({ from, envelope }) => from === bob.accountId && readEnvelope(envelope).prekeyIds)
  const [first] = openings
  const ids = first && readEnvelope(first.envelope).prekeyIds
  if (!first || ids?.oneTime === undefined) throw new Error('Bob spent a one-time prekey')
  const replay = async (): Promise<void> => {
    await alice.close()
    await alice.open()
    const sessions = (await inStore(alice, (tx) => tx.list(sessionTable))).length
    expect(await deliverTo(world, alice, bob, [first.envelope])).toEqual([true])
    expect(await alice.texts(id)).toEqual(['hello'])
    expect(await inStore(alice, (tx) => tx.list(sessionTable))).toHaveLength(sessions)
  }
  await replay()
  // Its session is pruned, and it is not remembered as an envelope either.
  const prekey = await inStore(alice, (tx) => tx.get(prekeyTable, prekeyKey(ids.oneTime ?? 0)))
  expect(prekey).toBeUndefined()
  await alice.close()
  await inStore(alice, async (tx) => {
    for (const row of await tx.list(sessionTable)) tx.delete(sessionTable, [row.contactId, row.sessionId])
    for (const row of await tx.list(envelopeTable)) tx.delete(envelopeTable, [row.envelopeId])
  })
  await alice.open()
  const lines = async () => (await alice.engine.diagnostics()).lines.filter((line) => line.area === 'envelope')
  expect(await deliverTo(world, alice, bob, [first.envelope])).toEqual([true])
  expect((await lines()).map((line) => line.detail)).toContain('the session of the handshake is gone')
  expect(await alice.texts(id)).toEqual(['hello'])
}, 60_000)

it('a first message to a rotated prekey opens 30 days later', async () => {
  const world = new TestWorld()
  let offset = 0
  const clock = (): number => offset
  const [alice, bob] = [person(world, 'Alice', clock), person(world, 'Bob', clock)]
  await Promise.all([alice.onboard(), bob.onboard()])
  const invite = await alice.invite()
  await alice.close()
  const id = await bob.accept(invite)
  await bob.send(id, 'long ago')
  await expect.poll(async () => (await bob.messages(id))[0]?.status, soon).toBe('sent')
  const made = handshakesOf(world, bob)
  await bob.close()
  // Alice is there now and then, without her mail, and rotates; then her mail comes.
  const kept = [...world.mailboxes.values()].map((mailbox) => ({ mailbox, waiting: mailbox.waiting.splice(0) }))
  for (const days of [3, 6, 29]) {
    offset = days * dayMs
    await alice.open()
    await expect
      .poll(
        () => inStore(alice, async (tx) => (await tx.list(prekeyTable)).filter((one) => one.kind === 'signed')),
        soon,
      )
      .toHaveLength(days === 3 ? 2 : days === 6 ? 3 : 4)
    await alice.close()
  }
  offset = 30 * dayMs
  for (const { mailbox, waiting } of kept) mailbox.waiting.push(...waiting)
  await alice.open()
  await expect.poll(() => alice.texts(id), soon).toEqual(['long ago'])
  expect(handshakesOf(world, bob)).toBe(made)
}, 60_000)

it('a signed prekey older than one seen of the device is refused, whoever hands it out', async () => {
  const world = new TestWorld()
  let offset = 0
  const clock = (): number => offset
  const [alice, bob] = [person(world, 'Alice', clock), person(world, 'Bob', clock)]
  await Promise.all([alice.onboard(), bob.onboard()])
  const signed = () => (world.prekeys.get(alice.accountId ?? '') ?? []).filter((one) => one.kind === 'signed')
  await expect.poll(() => signed().length, soon).toBe(1)
  const [old] = signed()
  if (!old) throw new Error('Alice has published')
  offset = 3 * dayMs
  await alice.close()
  await alice.open()
  await expect.poll(() => signed().length, soon).toBe(2)
  const id = await bob.accept(await alice.invite())
  await bob.send(id, 'b0')
  await expect.poll(() => alice.texts(id), soon).toEqual(['b0'])
  await expect.poll(async () => (await bob.messages(id))[0]?.status, soon).toBe('delivered')
  const newest = signed().at(-1)?.createdAtMs
  expect(await inStore(bob, (tx) => tx.list(remoteDeviceTable))).toMatchObject([{ signedSeenAtMs: newest }])
  // The relay goes back to the replaced one, when Bob must begin anew.
  const all = world.prekeys.get(alice.accountId ?? '') ?? []
  world.prekeys.set(alice.accountId ?? '', [...all.filter((one) => one.kind !== 'signed'), old])
  await loseSessions(bob)
  const before = handshakesOf(world, bob)
  await bob.send(id, 'b1')
  await expect
    .poll(async () => (await bob.engine.diagnostics()).lines.map((line) => line.code), soon)
    .toContain('conflict')
  expect(handshakesOf(world, bob)).toBe(before)
  const unsealed = async () => (await inStore(bob, (tx) => tx.list(outboxTable))).filter((row) => row.messageId)
  expect((await unsealed()).map((row) => row.envelope)).toEqual([undefined])
  world.prekeys.set(alice.accountId ?? '', all)
  await expect.poll(() => alice.texts(id), soon).toEqual(['b0', 'b1'])
}, 60_000)
