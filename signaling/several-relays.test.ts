import { expect, test } from 'vitest'
import { FakeEngine, FakePage, newMailbox, random32, sha256, startDevice } from './network.fixture.ts'
import { CourierPool } from './host/courier-pool.ts'
import { StunServers } from './host/stun-servers.ts'
import type { PeerRoute } from './network.ts'
import { createNetwork } from './peer-link.ts'
import { startRelayProcess } from './relay/relay-process.fixture.ts'
import { dayMs } from '../protocol/wire/limits.ts'

test('an envelope goes to all of a contact’s relays, and any one that lives is enough', async () => {
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
