import { afterEach, expect, test } from 'vitest'
import { createAccount } from '../protocol/identity/account-log.ts'
import { createDevice } from '../protocol/identity/device.ts'
import { generatePrekeys } from '../protocol/identity/prekeys.ts'
import { FakeEngine, FakePage, newMailbox, random32 } from './network.fixture.ts'
import { createNetwork } from './peer-link.ts'
import { startRelayProcess } from './relay/relay-process.fixture.ts'

/** What a relay says unasked, over real connections. */
const ends: (() => PromiseLike<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const startRelay = async (...flags: string[]) => {
  const relay = await startRelayProcess({ flags })
  ends.push(() => relay[Symbol.asyncDispose]())
  return relay
}

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

test('a device is told when its one-time prekeys run low, once, and again after it has made up for them', async () => {
  const { address } = await startRelay()
  const device = createDevice(random)
  const { accountId, log } = createAccount({ device, now: 1_000, random })
  const [network, asker] = [
    createNetwork({ environment: new FakePage() }),
    createNetwork({ environment: new FakePage() }),
  ]
  const engine = new FakeEngine()
  ends.push(
    () => network.stop(),
    () => asker.stop(),
  )
  await network.start({ deviceSeed: device.deviceSeed, mailboxes: [newMailbox(address)] }, engine)
  expect(await network.publishLog(address, log)).toMatchObject({ ok: true })
  const owner = { accountId, deviceId: device.deviceId }
  const make = (kind: Parameters<typeof generatePrekeys>[0]['kind'], firstId: number, count: number) =>
    generatePrekeys({ accountId, device, kind, firstId, count, now: 1_000, random }).published
  const standing = [...make('signed', 1, 1), ...make('last-resort-kem', 2, 1), ...make('one-time-kem', 300, 23)]
  expect(await network.publishPrekeys(address, owner, [...standing, ...make('one-time', 100, 21)])).toMatchObject({
    value: { oneTime: 21, oneTimeKem: 23 },
  })
  const take = async () => expect(await asker.fetchBundles(address, accountId)).toMatchObject({ ok: true })
  await take()
  expect(engine.prekeysLow).toBe(0)
  await take()
  await engine.until(() => engine.prekeysLow === 1)
  await take()
  // Another call on the same stream: were there a second notice, it would have come before this answer.
  expect(await network.countPrekeys(address, owner)).toMatchObject({ value: { oneTime: 18, oneTimeKem: 20 } })
  expect(engine.prekeysLow).toBe(1)
  await network.publishPrekeys(address, owner, make('one-time', 200, 50))
  await take()
  await engine.until(() => engine.prekeysLow === 2)
}, 60_000)

test('a relay that serves only newer clients is not asked for anything', async () => {
  const { address } = await startRelay('--oldest-client', '3')
  const network = createNetwork({ environment: new FakePage() })
  const engine = new FakeEngine()
  ends.push(() => network.stop())
  const mailbox = newMailbox(address)
  await network.start({ deviceSeed: random32(), mailboxes: [mailbox] }, engine)
  await engine.until(() => engine.relayState === 'outdated')
  expect(engine.relayStates).toEqual(['connecting', 'outdated'])
  expect(await network.identifyRelay(address.addresses)).toMatchObject({ value: { info: { oldestClient: 3 } } })
}, 60_000)
