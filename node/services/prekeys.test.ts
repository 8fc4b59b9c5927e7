import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { setRelays } from '../../protocol/identity/account-log.ts'
import { createDevice } from '../../protocol/identity/device.ts'
import { verifyBundle, type SignedPublicKey } from '../../protocol/identity/prekeys.ts'
import {
  directoryProtocol,
  fetchLogParams,
  fetchLogResult,
  publishLogParams,
} from '../../protocol/relay/directory-calls.ts'
import { done } from '../../protocol/relay/frame.ts'
import { infoProtocol, relayInfo } from '../../protocol/relay/info-calls.ts'
import {
  countPrekeysParams,
  fetchPrekeysParams,
  fetchPrekeysResult,
  prekeyCount,
  prekeysProtocol,
  publishPrekeysParams,
} from '../../protocol/relay/prekey-calls.ts'
import { minuteMs } from '../../protocol/wire/limits.ts'
import type { RequestStream } from '../../signaling/stream/request-stream.ts'
import { makeAccount, makePrekeys, type TestAccount } from '../fixtures/account.fixture.ts'
import { random, call, connect } from '../load/relay-client.ts'
import { spawnRelay, temporaryDirectory, type RelayProcess } from '../load/relay-process.ts'

const directory = temporaryDirectory()
let relay: RelayProcess
let address: string

const start = async (): Promise<void> => {
  relay = await spawnRelay(directory.path)
  address = relay.listening.addresses[0] ?? ''
}
beforeAll(start)
afterAll(async () => {
  expect(await relay.end()).toBe(0)
  directory.remove()
})

const publishLog = (stream: RequestStream, log: Uint8Array) =>
  call(stream, 'publishLog', [publishLogParams, { log }], done)
const fetchLog = (stream: RequestStream, accountId: Uint8Array) =>
  call(stream, 'fetchLog', [fetchLogParams, { accountId }], fetchLogResult)
const publish = (stream: RequestStream, { accountId, device }: TestAccount, prekeys: SignedPublicKey[]) =>
  call(stream, 'publish', [publishPrekeysParams, { accountId, deviceId: device.deviceId, prekeys }], prekeyCount)
const fetchBundles = (stream: RequestStream, accountId: Uint8Array) =>
  call(stream, 'fetch', [fetchPrekeysParams, { accountId }], fetchPrekeysResult)

/** An account whose log and `oneTime` one-time keys are at the relay. */
const atRelay = async (oneTime: number): Promise<TestAccount> => {
  const account = makeAccount()
  const client = await connect(address, account.device.deviceSeed)
  await publishLog(await client.open(directoryProtocol), account.log)
  const stream = await client.open(prekeysProtocol)
  const standing = [...makePrekeys(account, 'signed', 1, 1), ...makePrekeys(account, 'last-resort-kem', 2, 1)]
  await publish(stream, account, standing)
  for (let first = 0; first < oneTime; first += 50) {
    await publish(stream, account, makePrekeys(account, 'one-time', 100 + first, Math.min(50, oneTime - first)))
  }
  await client.close()
  return account
}

describe('directory over libp2p', () => {
  test('a log grows, is fetched by anybody, and never shrinks or forks', async () => {
    const account = makeAccount()
    const client = await connect(address, account.device.deviceSeed)
    const own = await client.open(directoryProtocol)
    await publishLog(own, account.log)
    await publishLog(own, account.log)
    const relays = [{ relayKey: random(32), addresses: [address], mailboxes: [] }]
    const longer = setRelays(account.log, relays, account.device, 2_000)
    const fork = setRelays(account.log, [], account.device, 3_000)
    await publishLog(own, longer)
    await expect(publishLog(own, account.log)).rejects.toMatchObject({ code: 'stale-head' })
    await expect(publishLog(own, fork)).rejects.toMatchObject({ code: 'stale-head' })
    const stranger = await connect(address)
    const other = await stranger.open(directoryProtocol)
    expect((await fetchLog(other, account.accountId)).log).toEqual(longer)
    await expect(fetchLog(other, random(32))).rejects.toMatchObject({ code: 'not-found' })
    await expect(publishLog(other, longer)).rejects.toMatchObject({ code: 'not-owner' })
    const broken = Uint8Array.from(longer, (byte, i) => (i === longer.length - 10 ? byte ^ 1 : byte))
    await expect(publishLog(own, broken)).rejects.toMatchObject({ code: 'bad-request' })
    await Promise.all([client.close(), stranger.close()])
  })
})

describe('prekeys over libp2p', () => {
  test('a published bundle comes back whole and verifies', async () => {
    const account = await atRelay(2)
    const stranger = await connect(address)
    const stream = await stranger.open(prekeysProtocol)
    const ids: (number | undefined)[] = []
    for (let i = 0; i < 3; i++) {
      const { bundles } = await fetchBundles(stream, account.accountId)
      expect(bundles).toHaveLength(1)
      verifyBundle(bundles[0]!, account.accountId, account.device)
      ids.push(bundles[0]!.oneTimePrekey?.id)
    }
    expect(ids).toEqual([100, 101, undefined])
    await expect(fetchBundles(stream, random(32))).rejects.toMatchObject({ code: 'not-found' })
    await stranger.close()
  })

  test('only the device publishes and counts, and only what it signed', async () => {
    const account = await atRelay(1)
    const { accountId, device } = account
    const owner = await connect(address, device.deviceSeed)
    const stream = await owner.open(prekeysProtocol)
    const params = [countPrekeysParams, { accountId, deviceId: device.deviceId }] as const
    expect(await call(stream, 'count', params, prekeyCount)).toEqual({ oneTime: 1, oneTimeKem: 0 })
    const [forged] = makePrekeys(
      { ...account, device: { ...createDevice(random), deviceId: device.deviceId } },
      'signed',
      9,
      1,
    )
    await expect(publish(stream, account, [forged!])).rejects.toMatchObject({ code: 'bad-request' })
    const [good] = makePrekeys(account, 'signed', 9, 1)
    await expect(publish(stream, account, [{ ...good!, id: 10 }])).rejects.toMatchObject({ code: 'bad-request' })
    const stranger = await connect(address)
    const other = await stranger.open(prekeysProtocol)
    await expect(publish(other, account, [good!])).rejects.toMatchObject({ code: 'not-owner' })
    await expect(call(other, 'count', params, prekeyCount)).rejects.toMatchObject({ code: 'not-owner' })
    await Promise.all([owner.close(), stranger.close()])
  })

  test('an asker gets six bundles of one account, then one every ten minutes; another account is no matter', async () => {
    const [first, second] = [await atRelay(0), await atRelay(0)]
    const stranger = await connect(address)
    const stream = await stranger.open(prekeysProtocol)
    for (let i = 0; i < 6; i++) await fetchBundles(stream, first.accountId)
    const refused: unknown = await fetchBundles(stream, first.accountId).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'slow-down' })
    const { retryAfterMs } = refused as { retryAfterMs: number }
    expect(retryAfterMs).toBeGreaterThan(9 * minuteMs)
    expect(retryAfterMs).toBeLessThanOrEqual(10 * minuteMs)
    await fetchBundles(stream, second.accountId)
    await stranger.close()
  })

  test('20 distinct askers at once, kill -9 in between: no key twice', async () => {
    const account = await atRelay(30)
    const ask = async (count: number): Promise<number[]> => {
      const clients = await Promise.all(Array.from({ length: count }, () => connect(address)))
      const streams = await Promise.all(clients.map((client) => client.open(prekeysProtocol)))
      const asked = streams.flatMap((stream) => [1, 2].map(() => fetchBundles(stream, account.accountId)))
      const answers = await Promise.allSettled(asked)
      await Promise.all(clients.map((client) => client.close()))
      return answers.flatMap((answer) => {
        const id = answer.status === 'fulfilled' ? answer.value.bundles[0]?.oneTimePrekey?.id : undefined
        return id === undefined ? [] : [id]
      })
    }
    const before = await ask(10)
    expect(before).toHaveLength(20)
    await relay.end('SIGKILL')
    await start()
    const after = await ask(10)
    expect(after).toHaveLength(10)
    expect(new Set([...before, ...after]).size).toBe(30)
  })
})

test('info tells name, addresses and limits', async () => {
  const client = await connect(address)
  const info = await call(await client.open(infoProtocol), 'info', [done, {}], relayInfo)
  expect(info).toMatchObject({
    name: 'Sotto relay',
    stunPort: 0,
    oldestClient: 1,
    mailboxRetentionMs: 30 * 24 * 3_600_000,
  })
  expect(info.addresses).toEqual(relay.listening.addresses)
  await client.close()
})
