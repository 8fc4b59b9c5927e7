import { expect, test, vi } from 'vitest'
import { FakeEngine, FakePage, newMailbox, random32, sha256, startDevice } from './network.fixture.ts'
import { createClientHost } from './host/client-host.ts'
import { CourierPool } from './host/courier-pool.ts'
import { peerIdOfKey, privateKeyOfSeed, throwawayKey } from './host/peer-key.ts'
import { relayMultiaddrs } from './host/relay-addresses.ts'
import { StunServers } from './host/stun-servers.ts'
import type { PeerRoute } from './network.ts'
import { createNetwork } from './peer-link.ts'
import { startRelayProcess } from './relay/relay-process.fixture.ts'
import { toHex } from '../protocol/wire/bytes.ts'
import { dayMs } from '../protocol/wire/limits.ts'

test('an envelope goes to two of a contact’s relays, and any one that lives is enough', async () => {
  await using first = await startRelayProcess()
  await using second = await startRelayProcess()
  await using alice = await startDevice(second.address)
  const [mailboxes, lane] = [[first, second].map(({ address }) => newMailbox(address)), random32()]
  const engine = new FakeEngine()
  const network = createNetwork({ environment: new FakePage() })
  await network.start({ deviceSeed: random32(), mailboxes }, engine)
  for (const mailbox of mailboxes) {
    expect(await network.setLanes(mailbox, [{ laneHash: sha256(lane) }])).toMatchObject({ ok: true })
  }
  const route: PeerRoute = {
    contactId: 'bob',
    deviceKey: random32(),
    mailboxes: mailboxes.map((mailbox) => ({ ...mailbox, lane })),
    direct: false,
  }
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text.padEnd(256))
  const count = (text: string): number =>
    engine.received.filter(({ envelope }) => new TextDecoder().decode(envelope).trimEnd() === text).length

  expect(await alice.network.send(route, bytes('both'))).toEqual({ ok: true, value: 'deposited' })
  await engine.until(() => count('both') === 2)
  await first.signal('SIGKILL')
  expect(await alice.network.send(route, bytes('one'))).toEqual({ ok: true, value: 'deposited' })
  await engine.until(() => count('one') === 1)
  expect(alice.engine.paths.get('bob')).toBe('relay')

  await second.signal('SIGKILL')
  await alice.engine.until(() => alice.engine.relayState === 'reconnecting')
  expect(await alice.network.send(route, bytes('none'))).toMatchObject({ ok: false, reason: 'offline' })
  await alice.engine.until(() => alice.engine.paths.get('bob') === 'none')
  await network.stop()
}, 60_000)

test('the third relay of a contact is asked when one of the two fails, and an unproven one besides', async () => {
  await using home = await startRelayProcess()
  await using alice = await startDevice(home.address)
  await using first = await startRelayProcess()
  await using second = await startRelayProcess()
  await using third = await startRelayProcess()
  const [mailboxes, lane] = [[first, second, third].map(({ address }) => newMailbox(address)), random32()]
  const engine = new FakeEngine()
  const network = createNetwork({ environment: new FakePage() })
  await network.start({ deviceSeed: random32(), mailboxes }, engine)
  for (const mailbox of mailboxes) await network.setLanes(mailbox, [{ laneHash: sha256(lane) }])
  const routed = (unproven: boolean): PeerRoute => ({
    contactId: 'bob',
    deviceKey: random32(),
    mailboxes: mailboxes.map((mailbox, i) => ({ ...mailbox, lane, ...(unproven && i === 2 ? { unproven } : {}) })),
    direct: false,
  })
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text.padEnd(256))
  const relaysOf = (text: string): string[] =>
    engine.received
      .filter(({ envelope }) => new TextDecoder().decode(envelope).trimEnd() === text)
      .map(({ source }) => (source.kind === 'mailbox' ? toHex(source.relayKey) : source.kind))
  const keys = mailboxes.map(({ relayKey }) => toHex(relayKey))

  expect(await alice.network.send(routed(false), bytes('two'))).toEqual({ ok: true, value: 'deposited' })
  await engine.until(() => relaysOf('two').length === 2)
  expect(await alice.network.send(routed(true), bytes('and one more'))).toEqual({ ok: true, value: 'deposited' })
  await engine.until(() => relaysOf('and one more').length === 3)
  expect(relaysOf('two').toSorted()).toEqual(keys.slice(0, 2).toSorted())

  await Promise.all([first, second].map((relay) => relay.signal('SIGKILL')))
  expect(await alice.network.send(routed(false), bytes('third'))).toEqual({ ok: true, value: 'deposited' })
  await engine.until(() => relaysOf('third').length === 1)
  expect(relaysOf('third')).toEqual(keys.slice(2))
  await network.stop()
}, 60_000)

test('a relay is added and another one let go while the one between notices nothing', async () => {
  await using first = await startRelayProcess()
  await using second = await startRelayProcess()
  const [old, fresh] = [first, second].map(({ address }) => newMailbox(address))
  if (old === undefined || fresh === undefined) throw new Error('two mailboxes')
  const engine = new FakeEngine()
  const network = createNetwork({ environment: new FakePage() })
  const deviceSeed = random32()
  await network.start({ deviceSeed, mailboxes: [old] }, engine)
  await engine.until(() => engine.relayState === 'connected')

  await network.collect({ mailboxes: [old, fresh] })
  const lane = random32()
  expect(await network.setLanes(fresh, [{ laneHash: sha256(lane) }])).toMatchObject({ ok: true })
  await network.collect({ mailboxes: [fresh], left: [old] })
  // The one that was left is still connected.
  expect(await network.setLanes(old, [{ laneHash: sha256(lane) }])).toMatchObject({ ok: true })
  expect(engine.relayStates.filter((state) => state === 'reconnecting')).toEqual([])
  await network.collect({ mailboxes: [fresh] })
  expect(await network.setLanes(old, [{ laneHash: sha256(lane) }])).toMatchObject({ ok: false })

  // The new relay introduces others, as the old one did.
  const stun = new StunServers()
  const caller = await createClientHost({ privateKey: await throwawayKey(), listen: [], stun, addressDialMs: 5_000 })
  const device = (await privateKeyOfSeed(deviceSeed)).publicKey.raw
  const [relay] = relayMultiaddrs(fresh)
  if (relay === undefined) throw new Error('an address')
  const circuit = await caller.dial(relay.encapsulate(`/p2p-circuit/p2p/${peerIdOfKey(device).toString()}`))
  expect(circuit.remoteAddr.toString()).toContain('p2p-circuit')
  await caller.stop()
  await network.stop()
}, 60_000)

test('a courier serves one relay, for one day', async () => {
  let now = 1_700_000_000_000
  const pool = new CourierPool({ now: () => now, random: random32, stun: new StunServers(), onChange: () => {} })
  const [one, other] = [random32(), random32()].map((relayKey) => ({ relayKey, addresses: [] }))
  if (one === undefined || other === undefined) throw new Error('two relays')
  const courier = pool.get(one)
  expect(pool.get(other)).not.toBe(courier)
  now += dayMs - 1
  expect(pool.get(one)).toBe(courier)
  now += 1
  expect(pool.get(one)).not.toBe(courier)
  expect(pool.peek(one.relayKey)).not.toBe(courier)
  await pool.stop()
})

test('a relay that failed while the clock was ahead is asked again as soon as any other', async () => {
  await using relay = await startRelayProcess()
  let ahead = dayMs
  const now = (): number => Date.now() + ahead
  const network = createNetwork({ environment: new FakePage(), now })
  const ask = (): ReturnType<typeof network.fetchLog> => network.fetchLog(relay.address, random32())
  await relay.signal('SIGKILL')
  expect(await ask()).toMatchObject({ ok: false, reason: 'offline' })
  await relay.restart()
  ahead = 0
  // It answers that it knows no such account, once the pause after a failure is over.
  await vi.waitFor(async () => expect(await ask()).toMatchObject({ ok: false, reason: 'refused' }), 15_000)
  await network.stop()
}, 60_000)
