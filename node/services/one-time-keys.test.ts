import { afterAll, expect, test } from 'vitest'
import { directoryProtocol, publishLogParams } from '../../protocol/relay/directory-calls.ts'
import { done } from '../../protocol/relay/frame.ts'
import {
  fetchPrekeysParams,
  fetchPrekeysResult,
  prekeyCount,
  prekeysProtocol,
  publishPrekeysParams,
} from '../../protocol/relay/prekey-calls.ts'
import { makeAccount, makePrekeys } from '../fixtures/account.fixture.ts'
import { call, connect } from '../load/relay-client.ts'
import { killLeftovers, spawnRelay, temporaryDirectory } from '../load/relay-process.ts'

const directory = temporaryDirectory()
afterAll(() => {
  killLeftovers()
  directory.remove()
})

/** What one asker may fetch of one account at once. */
const perAsker = 6

test('1,000 fetches at once over libp2p, kill -9 half way: 100 keys, each once, the rest without', async () => {
  let relay = await spawnRelay(directory.path)
  const port = String(relay.listening.port)
  const address = relay.listening.addresses[0] ?? ''
  const account = makeAccount()
  const { accountId, device } = account
  const owner = await connect(address, device.deviceSeed)
  await call(await owner.open(directoryProtocol), 'publishLog', [publishLogParams, { log: account.log }], done)
  const own = await owner.open(prekeysProtocol)
  const standing = [...makePrekeys(account, 'signed', 1, 1), ...makePrekeys(account, 'last-resort-kem', 2, 1)]
  for (const prekeys of [
    standing,
    makePrekeys(account, 'one-time', 100, 50),
    makePrekeys(account, 'one-time', 150, 50),
  ]) {
    await call(own, 'publish', [publishPrekeysParams, { accountId, deviceId: device.deviceId, prekeys }], prekeyCount)
  }
  await owner.close()

  /** Ids handed out (undefined: a bundle without) by calls that were answered, and how many were not. */
  const fetchMany = async (count: number, meanwhile: () => void) => {
    const clients = await Promise.all(Array.from({ length: Math.ceil(count / perAsker) }, () => connect(address)))
    const streams = await Promise.all(clients.map((client) => client.open(prekeysProtocol)))
    const calls = Array.from({ length: count }, (_, i) =>
      call(streams[Math.floor(i / perAsker)]!, 'fetch', [fetchPrekeysParams, { accountId }], fetchPrekeysResult),
    )
    void calls[20]?.then(meanwhile, meanwhile)
    const outcomes = await Promise.allSettled(calls)
    await Promise.all(clients.map((client) => client.close()))
    const answered = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.bundles[0]] : []))
    return { ids: answered.map((bundle) => bundle?.oneTimePrekey?.id), unanswered: count - answered.length }
  }

  const first = await fetchMany(500, () => void relay.end('SIGKILL'))
  await relay.end('SIGKILL')
  relay = await spawnRelay(directory.path, { flags: ['--port', port] })
  const second = await fetchMany(500, () => {})
  expect(second.unanswered).toBe(0)
  const handedOut = [...first.ids, ...second.ids].filter((id) => id !== undefined)
  expect(new Set(handedOut).size).toBe(handedOut.length)
  // A key whose answer died with the relay is lost, never given again.
  expect(handedOut.length).toBeLessThanOrEqual(100)
  expect(handedOut.length).toBeGreaterThanOrEqual(100 - first.unanswered)
  expect(await relay.end()).toBe(0)
}, 120_000)
