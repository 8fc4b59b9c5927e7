import { afterAll, beforeAll, expect, test } from 'vitest'
import { FakeEngine, FakePage, newMailbox, random32, startDevice } from './network.fixture.ts'
import { startRelayProcess, type RelayProcess } from './relay/relay-process.fixture.ts'
import { createNetwork } from './peer-link.ts'

let relay: RelayProcess
beforeAll(async () => {
  relay = await startRelayProcess()
})
afterAll(async () => {
  await relay[Symbol.asyncDispose]()
})

const numbered = (i: number): Uint8Array =>
  Uint8Array.from({ length: 300 }, (_, k) => (k < 4 ? (i >> (8 * k)) & 255 : 7))

test('a relay is identified by its addresses alone', async () => {
  const network = createNetwork({ environment: new FakePage() })
  const found = await network.identifyRelay(relay.address.addresses)
  expect(found).toMatchObject({ ok: true, value: { relayKey: relay.address.relayKey } })
  expect(await network.identifyRelay(['not an address'])).toMatchObject({ ok: false })
  await network.stop()
})

test('200 envelopes deposited by courier arrive once, in order, in batches of at most 50', async () => {
  await using alice = await startDevice(relay.address)
  await using bob = await startDevice(relay.address)
  const sent = Array.from({ length: 200 }, (_, i) => numbered(i))
  const answers = await Promise.all(sent.map((envelope) => alice.network.send(bob.route('bob'), envelope)))
  expect(answers.every((answer) => answer.ok && answer.value === 'deposited')).toBe(true)
  await bob.engine.until(() => bob.engine.received.length >= 200)
  expect(bob.engine.received.map(({ envelope }) => envelope)).toEqual(sent)
  expect(Math.max(...bob.engine.batches)).toBeLessThanOrEqual(50)
  expect(alice.engine.paths.get('bob')).toBe('relay')
})

test('what came while away waits, and is not pushed again once acknowledged', async () => {
  await using alice = await startDevice(relay.address)
  const bob = await startDevice(relay.address)
  await bob.network.stop()
  const sent = Array.from({ length: 120 }, (_, i) => numbered(i))
  await Promise.all(sent.map((envelope) => alice.network.send(bob.route('bob'), envelope)))
  await bob.network.start({ deviceSeed: bob.deviceSeed, mailboxes: [bob.mailbox] }, bob.engine)
  await bob.engine.until(() => bob.engine.received.length >= 120)
  await bob.network.stop()
  await bob.network.start({ deviceSeed: bob.deviceSeed, mailboxes: [bob.mailbox] }, bob.engine)
  const last = numbered(9_999)
  await alice.network.send(bob.route('bob'), last)
  await bob.engine.until(() => bob.engine.received.length >= 121)
  expect(bob.engine.received.map(({ envelope }) => envelope)).toEqual([...sent, last])
  await bob.network.stop()
})

test('nothing is acknowledged before the engine committed', async () => {
  await using alice = await startDevice(relay.address)
  const bob = await startDevice(relay.address)
  let asked = false
  bob.engine.take = () => {
    asked = true
    bob.engine.changed()
    return new Promise(() => {})
  }
  await alice.network.send(bob.route('bob'), numbered(1))
  await bob.engine.until(() => asked)
  // The page dies with the envelope in hand.
  await bob.network.stop()
  bob.engine.take = (envelopes) => Promise.resolve(envelopes.map(() => true))
  await bob.network.start({ deviceSeed: bob.deviceSeed, mailboxes: [bob.mailbox] }, bob.engine)
  await bob.engine.until(() => bob.engine.received.length > 0)
  expect(bob.engine.received.map(({ envelope }) => envelope)).toEqual([numbered(1)])
  await bob.network.stop()
})

test('what the engine did not take is brought again', async () => {
  await using alice = await startDevice(relay.address)
  await using bob = await startDevice(relay.address)
  let refusals = 2
  bob.engine.take = (envelopes) =>
    refusals-- > 0 ? Promise.reject(new Error('disk full')) : Promise.resolve(envelopes.map(() => true))
  await alice.network.send(bob.route('bob'), numbered(1))
  await bob.engine.until(() => bob.engine.received.length > 0)
  expect(bob.engine.received.map(({ envelope }) => envelope)).toEqual([numbered(1)])
})

test('a network stopped while it starts leaves nothing running, and can be started again', async () => {
  const network = createNetwork({ environment: new FakePage() })
  const engine = new FakeEngine()
  const mailbox = newMailbox(relay.address)
  const device = { deviceSeed: random32(), mailboxes: [mailbox] }
  const starting = network.start(device, engine)
  await network.stop()
  await starting
  expect(await network.setLanes(mailbox, [])).toMatchObject({ ok: false })
  expect(engine.relayStates).not.toContain('connected')
  await network.start(device, engine)
  expect(await network.setLanes(mailbox, [])).toMatchObject({ ok: true })
  await network.stop()
})

test('a start that failed can be tried again', async () => {
  const network = createNetwork({ environment: new FakePage() })
  const engine = new FakeEngine()
  const mailbox = newMailbox(relay.address)
  const start = (deviceSeed: Uint8Array) => network.start({ deviceSeed, mailboxes: [mailbox] }, engine)
  await expect(start(new Uint8Array(31))).rejects.toThrow()
  await start(random32())
  expect(await network.setLanes(mailbox, [])).toMatchObject({ ok: true })
  await network.stop()
})
