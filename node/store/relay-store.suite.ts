import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dayMs, mailboxRetentionMs } from '../../protocol/wire/limits.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import { makeAccount, makePrekeys } from '../fixtures/account.fixture.ts'
import { random } from '../load/relay-client.ts'

import type { Deposit, MailboxQuota, RelayStore } from './relay-store.ts'

/** How the suite gets at an implementation: the same storage opened again sees what was promised. */
export interface StoreUnderTest {
  open(quota?: MailboxQuota): RelayStore
  /** Removes the storage. */
  destroy(): void
}

const depositOf = (envelope: Uint8Array, ...targets: Deposit['targets']): Deposit => ({
  envelope,
  envelopeId: createHash('sha256').update(envelope).digest().subarray(0, 16),
  targets,
})

/** Every implementation of RelayStore runs this. */
export const relayStoreSuite = (make: () => StoreUnderTest): void => {
  let under: StoreUnderTest
  let store: RelayStore

  beforeEach(() => {
    under = make()
    store = under.open()
  })
  afterEach(async () => {
    await store.close()
    under.destroy()
  })

  const reopen = async (): Promise<void> => {
    await store.close()
    store = under.open()
  }

  const mailboxWithLane = async (grant: { envelopes?: number; expiresAtMs?: number } = {}) => {
    const mailboxId = random(32)
    const laneHash = random(32)
    expect(await store.register(mailboxId, random(32))).toBe('kept')
    expect(await store.setLanes(mailboxId, [{ laneHash, ...grant }])).toBe(true)
    return { mailboxId, laneHash }
  }

  const all = (mailboxId: Uint8Array) => store.waiting(mailboxId, 0, 100_000, Number.MAX_SAFE_INTEGER)

  describe('mailboxes', () => {
    test('a mailbox belongs to the key that registered it first', async () => {
      const mailboxId = random(32)
      const owner = random(32)
      expect(await store.register(mailboxId, owner)).toBe('kept')
      expect(await store.register(mailboxId, owner)).toBe('kept')
      expect(await store.register(mailboxId, random(32))).toBe('taken')
      expect(store.owner(mailboxId)).toEqual(owner)
      expect(store.owner(random(32))).toBeNull()
    })

    test('a counter never falls, and outlives the process', async () => {
      const { mailboxId } = await mailboxWithLane()
      expect(await store.advance(mailboxId, 5)).toBe(0)
      expect(await store.advance(mailboxId, 3)).toBe(5)
      await reopen()
      expect(await store.advance(mailboxId, 6)).toBe(5)
      expect(await store.advance(mailboxId, 6)).toBe(6)
      expect(await store.advance(random(32), 7)).toBe(0)
    })

    test('a key may have four', async () => {
      const owner = random(32)
      const outcomes = await Promise.all([1, 2, 3, 4, 5].map(() => store.register(random(32), owner)))
      expect(outcomes).toEqual(['kept', 'kept', 'kept', 'kept', 'limit'])
    })

    test('a deposit reaches the targets whose lanes are open, and only those', async () => {
      const open = await mailboxWithLane()
      const other = await mailboxWithLane()
      const unknown = { mailboxId: random(32), laneHash: random(32) }
      const wrongLane = { mailboxId: other.mailboxId, laneHash: open.laneHash }
      const reached = await store.deposit(depositOf(random(300), open, unknown, wrongLane), 1_000)
      expect(reached.map(toHex)).toEqual([toHex(open.mailboxId)])
      expect(all(open.mailboxId)).toHaveLength(1)
      expect(all(other.mailboxId)).toHaveLength(0)
    })

    test('keeps order, lane and bytes, also across opening again', async () => {
      const target = await mailboxWithLane()
      const envelopes = Array.from({ length: 300 }, () => random(256))
      await Promise.all(envelopes.map((envelope) => store.deposit(depositOf(envelope, target), 1_000)))
      await reopen()
      const waiting = all(target.mailboxId)
      expect(waiting.map(({ envelope }) => toHex(envelope))).toEqual(envelopes.map(toHex))
      expect(waiting.map(({ sequence }) => sequence)).toEqual(envelopes.map((_, i) => i + 1))
      expect(waiting.every(({ laneHash }) => toHex(laneHash) === toHex(target.laneHash))).toBe(true)
      expect(store.countWaiting(target.mailboxId)).toBe(300)
    })

    test('the same envelope waits once, and can come again once it was acknowledged', async () => {
      const target = await mailboxWithLane({ envelopes: 2 })
      const deposit = depositOf(random(256), target)
      await Promise.all([store.deposit(deposit, 1), store.deposit(deposit, 1)])
      expect(await store.deposit(deposit, 1)).toEqual([])
      expect(all(target.mailboxId)).toHaveLength(1)
      await store.acknowledge(target.mailboxId, [1])
      expect(await store.deposit(deposit, 1)).toHaveLength(1)
      expect(all(target.mailboxId).map(({ sequence }) => sequence)).toEqual([2])
    })

    test('acknowledging removes what is named and nothing else; sequences are never used again', async () => {
      const target = await mailboxWithLane()
      for (let i = 0; i < 5; i++) await store.deposit(depositOf(random(256), target), 1)
      await store.acknowledge(target.mailboxId, [1, 3, 5, 99])
      await store.acknowledge(random(32), [2])
      expect(all(target.mailboxId).map(({ sequence }) => sequence)).toEqual([2, 4])
      await reopen()
      await store.deposit(depositOf(random(256), target), 1)
      expect(all(target.mailboxId).map(({ sequence }) => sequence)).toEqual([2, 4, 6])
      expect(store.countWaiting(target.mailboxId)).toBe(3)
    })

    test('pages by sequence, count and bytes, but always gives one', async () => {
      const target = await mailboxWithLane()
      for (let i = 0; i < 6; i++) await store.deposit(depositOf(random(1_000), target), 1)
      const page = (after: number, count: number, bytes: number) =>
        store.waiting(target.mailboxId, after, count, bytes).map(({ sequence }) => sequence)
      expect(page(0, 4, 1e6)).toEqual([1, 2, 3, 4])
      expect(page(4, 4, 1e6)).toEqual([5, 6])
      expect(page(0, 10, 2_500)).toEqual([1, 2])
      expect(page(2, 10, 10)).toEqual([3])
      expect(page(6, 10, 10)).toEqual([])
    })
  })

  describe('lanes', () => {
    test('a lane of three takes three, counting no repetition', async () => {
      const target = await mailboxWithLane({ envelopes: 3 })
      const first = depositOf(random(256), target)
      await store.deposit(first, 1)
      await store.deposit(first, 1)
      for (let i = 0; i < 5; i++) await store.deposit(depositOf(random(256), target), 1)
      expect(all(target.mailboxId)).toHaveLength(3)
    })

    test('an expired or revoked lane takes nothing, and a set one replaces its limits', async () => {
      const target = await mailboxWithLane({ expiresAtMs: 1_000 })
      await store.deposit(depositOf(random(256), target), 999)
      await store.deposit(depositOf(random(256), target), 1_000)
      expect(all(target.mailboxId)).toHaveLength(1)
      await store.setLanes(target.mailboxId, [{ laneHash: target.laneHash }])
      await store.deposit(depositOf(random(256), target), 2_000)
      expect(all(target.mailboxId)).toHaveLength(2)
      await store.revokeLanes(target.mailboxId, [target.laneHash, random(32)])
      await store.deposit(depositOf(random(256), target), 2_000)
      expect(all(target.mailboxId)).toHaveLength(2)
    })

    test('a mailbox holds at most 10,000', async () => {
      const { mailboxId } = await mailboxWithLane()
      const lanes = (count: number) => Array.from({ length: count }, () => ({ laneHash: random(32) }))
      expect(await store.setLanes(mailboxId, lanes(9_999))).toBe(true)
      expect(await store.setLanes(mailboxId, lanes(1))).toBe(false)
    })
  })

  describe('limits of a mailbox', () => {
    test('by number and by bytes; acknowledging makes room', async () => {
      await store.close()
      store = under.open({ envelopes: 3, bytes: 1_000 })
      const few = await mailboxWithLane()
      for (let i = 0; i < 5; i++) await store.deposit(depositOf(random(10), few), 1)
      expect(all(few.mailboxId)).toHaveLength(3)
      const small = await mailboxWithLane()
      await store.deposit(depositOf(random(600), small), 1)
      await store.deposit(depositOf(random(600), small), 1)
      expect(all(small.mailboxId)).toHaveLength(1)
      await store.acknowledge(small.mailboxId, [1])
      await store.deposit(depositOf(random(600), small), 1)
      expect(all(small.mailboxId)).toHaveLength(1)
    })

    test('the sweep removes what is past its retention, and lets newer things be', async () => {
      const target = await mailboxWithLane()
      const now = 1_000_000_000_000
      for (let i = 0; i < 450; i++) void store.deposit(depositOf(random(256), target), now)
      await store.deposit(depositOf(random(256), target), now + 2 * dayMs)
      expect(await store.sweep(now + mailboxRetentionMs - 1)).toBe(0)
      expect(await store.sweep(now + mailboxRetentionMs + dayMs)).toBe(450)
      expect(all(target.mailboxId).map(({ sequence }) => sequence)).toEqual([451])
      expect(store.countWaiting(target.mailboxId)).toBe(1)
    })
  })

  describe('accounts', () => {
    test('a log replaces another only from the expected head', async () => {
      const { record } = makeAccount()
      const next = { ...record, head: random(32), log: random(100) }
      expect(store.account(record.accountId)).toBeNull()
      expect(await store.putAccount(record, random(32))).toBe(false)
      expect(await store.putAccount(record, null)).toBe(true)
      expect(await store.putAccount(next, null)).toBe(false)
      const both = await Promise.all([store.putAccount(next, record.head), store.putAccount(next, record.head)])
      expect(both).toEqual([true, false])
      await reopen()
      expect(store.account(record.accountId)).toMatchObject({ head: next.head, log: next.log })
    })

    test('a device that leaves the log takes its prekeys along', async () => {
      const account = makeAccount()
      const { record, accountId, device } = account
      await store.putAccount(record, null)
      expect(store.device(accountId, device.deviceId)).toMatchObject({ deviceKey: device.deviceKey })
      await store.publishPrekeys(accountId, device.deviceId, [
        ...makePrekeys(account, 'signed', 1, 1),
        ...makePrekeys(account, 'last-resort-kem', 2, 1),
      ])
      expect(await store.takeBundles(accountId)).toHaveLength(1)
      const without = { ...record, head: random(32), devices: [] }
      expect(await store.putAccount(without, record.head)).toBe(true)
      expect(store.device(accountId, device.deviceId)).toBeNull()
      expect(await store.takeBundles(accountId)).toHaveLength(0)
      await store.putAccount(record, without.head)
      expect(await store.takeBundles(accountId)).toHaveLength(0)
    })
  })

  describe('prekeys', () => {
    const published = async (oneTime: number, oneTimeKem: number) => {
      const account = makeAccount()
      const { accountId, device } = account
      await store.putAccount(account.record, null)
      const oneTimes = makePrekeys(account, 'one-time', 100, oneTime)
      const count = await store.publishPrekeys(accountId, device.deviceId, [
        ...makePrekeys(account, 'signed', 1, 1),
        ...makePrekeys(account, 'last-resort-kem', 2, 1),
        ...oneTimes,
        ...makePrekeys(account, 'one-time-kem', 1_000, oneTimeKem),
      ])
      expect(count).toEqual({ oneTime, oneTimeKem })
      return { ...account, oneTimes, deviceId: device.deviceId }
    }

    test('1,000 fetches at once of 100 one-time keys: each key once, the rest without', async () => {
      const { accountId, deviceId } = await published(100, 3)
      const taken = await Promise.all(Array.from({ length: 1_000 }, () => store.takeBundles(accountId)))
      const bundles = taken.flat()
      expect(bundles).toHaveLength(1_000)
      const ids = bundles.flatMap(({ oneTimePrekey }) => (oneTimePrekey ? [oneTimePrekey.id] : []))
      expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => 100 + i))
      const kemIds = bundles.flatMap(({ kemPrekey }) => (kemPrekey.lastResort ? [] : [kemPrekey.id]))
      expect(kemIds.toSorted((a, b) => a - b)).toEqual([1_000, 1_001, 1_002])
      expect(store.countPrekeys(accountId, deviceId)).toEqual({ oneTime: 0, oneTimeKem: 0 })
    })

    test('a spent key does not come back, neither by opening again nor by publishing it again', async () => {
      const { accountId, deviceId, oneTimes } = await published(2, 0)
      await store.takeBundles(accountId)
      await reopen()
      expect(await store.publishPrekeys(accountId, deviceId, oneTimes)).toEqual({ oneTime: 1, oneTimeKem: 0 })
      const [second] = await store.takeBundles(accountId)
      expect(second?.oneTimePrekey?.id).toBe(101)
      const [third] = await store.takeBundles(accountId)
      expect(third).toBeDefined()
      expect(third?.oneTimePrekey).toBeUndefined()
    })

    test('a batch that arrives after a later one still counts', async () => {
      const account = await published(0, 0)
      const late = makePrekeys(account, 'one-time', 10, 3)
      await store.publishPrekeys(account.accountId, account.deviceId, makePrekeys(account, 'one-time', 50, 3))
      expect(await store.publishPrekeys(account.accountId, account.deviceId, late)).toMatchObject({ oneTime: 6 })
    })

    test('signed and last-resort keys give way to newer ones only', async () => {
      const account = await published(0, 0)
      const { accountId, deviceId } = account
      const newer = [...makePrekeys(account, 'signed', 7, 1), ...makePrekeys(account, 'last-resort-kem', 8, 1)]
      await store.publishPrekeys(accountId, deviceId, newer)
      await store.publishPrekeys(accountId, deviceId, makePrekeys(account, 'signed', 5, 1))
      const [bundle] = await store.takeBundles(accountId)
      expect(bundle?.signedPrekey).toEqual(newer[0])
      expect(bundle?.kemPrekey).toEqual(newer[1])
    })

    test('no bundle without a KEM key, and nothing is spent on it', async () => {
      const account = makeAccount()
      const { accountId, device } = account
      await store.putAccount(account.record, null)
      const keys = [...makePrekeys(account, 'signed', 1, 1), ...makePrekeys(account, 'one-time', 2, 1)]
      await store.publishPrekeys(accountId, device.deviceId, keys)
      expect(await store.takeBundles(accountId)).toEqual([])
      expect(store.countPrekeys(accountId, device.deviceId)).toEqual({ oneTime: 1, oneTimeKem: 0 })
      expect(await store.takeBundles(random(32))).toEqual([])
    })

    test('an unlisted device and a hoard of keys are refused as a whole', async () => {
      const account = await published(0, 0)
      const { accountId, deviceId } = account
      expect(await store.publishPrekeys(accountId, random(16), [])).toBe('unknown-device')
      const keys = makePrekeys(account, 'one-time', 1, 501)
      expect(await store.publishPrekeys(accountId, deviceId, keys)).toBe('limit')
      expect(store.countPrekeys(accountId, deviceId)).toEqual({ oneTime: 0, oneTimeKem: 0 })
    })
  })

  test('a closed store refuses work', async () => {
    await store.close()
    await expect(store.register(random(32), random(32))).rejects.toMatchObject({ code: 'closed' })
    expect(() => store.owner(random(32))).toThrow(expect.objectContaining({ code: 'closed' }))
  })

  test('closing keeps what was asked for before', async () => {
    const target = await mailboxWithLane()
    const deposits = Array.from({ length: 400 }, () => store.deposit(depositOf(random(256), target), 1))
    await store.close()
    expect((await Promise.all(deposits)).flat()).toHaveLength(400)
    store = under.open()
    expect(store.countWaiting(target.mailboxId)).toBe(400)
  })
}
