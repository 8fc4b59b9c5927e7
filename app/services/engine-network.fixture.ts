import { verifyAccountLog } from '../../protocol/identity/account-log.ts'
import type { PrekeyBundle, SignedPublicKey } from '../../protocol/identity/prekeys.ts'
import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import type {
  Network,
  NetworkFailure,
  NetworkResult,
  OwnMailbox,
  OwnMailboxes,
  PeerRoute,
  RelayAddress,
  SendPath,
} from '../../signaling/network.ts'
import { passOn } from './pass-on.fixture.ts'
import type { Connection, TestWorld } from './test-network.fixture.ts'
import type { TestRelay } from './test-relay.fixture.ts'

const failure = (message: string): NetworkFailure => ({ ok: false, reason: 'offline', message })
const notOwner: NetworkFailure = { ok: false, reason: 'refused', refusal: 'not-owner', message: 'no such account' }
const notFound: NetworkFailure = { ok: false, reason: 'refused', refusal: 'not-found', message: 'no such account' }
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Who an engine is, so that the world can introduce it to others; hex account id. */
export type WhoAmI = () => string | undefined

/** One engine's network in a world. */
export const createTestNetwork = (
  world: TestWorld,
  deviceKeyOf: (seed: Uint8Array) => Uint8Array,
  whoAmI: WhoAmI,
): Network => {
  let own: Connection | undefined
  let mailboxes: readonly OwnMailbox[] = []
  let retired: readonly OwnMailbox[] = []
  const at = async <T>(
    address: Pick<RelayAddress, 'relayKey'>,
    value: (relay: TestRelay) => T,
  ): Promise<NetworkResult<T>> => {
    const relay = world.relayOf(address)
    return relay.up ? { ok: true, value: value(relay) } : failure('the relay is down')
  }

  /** As a relay does: only who holds the key of a device in the log may speak for it. */
  const owns = (
    relay: TestRelay,
    { accountId, deviceId }: { accountId: Uint8Array; deviceId: Uint8Array },
  ): boolean => {
    const log = relay.logs.get(toHex(accountId))
    const device = log && verifyAccountLog(log).devices.find((one) => equalBytes(one.deviceId, deviceId))
    const isOwner = device !== undefined && toHex(device.deviceKey) === own?.deviceKey
    if (!isOwner) relay.notOwner++
    return isOwner
  }

  const sendDirect = async (peer: Connection, envelope: Uint8Array): Promise<NetworkResult<SendPath>> => {
    const source = {
      kind: 'link',
      linkId: 1,
      ...(own?.accountOf() ? { contactId: own.accountOf() as string } : {}),
    } as const
    const copies = world.hit(world.faults.duplicate) ? [{ envelope }, { envelope }] : [{ envelope }]
    const answers = await peer.listener.onEnvelopes(source, copies)
    return answers.every(Boolean) ? { ok: true, value: 'direct' } : failure('the link broke')
  }

  const send = async (route: PeerRoute, envelope: Uint8Array): Promise<NetworkResult<SendPath>> => {
    world.seen.push({ envelope, from: own?.accountOf() })
    if (world.hit(world.faults.lose)) return failure('lost')
    await world.delay()
    if (world.hit(world.faults.swallow)) return { ok: true, value: 'deposited' }
    const peer = world.direct ? world.connection(route.deviceKey) : undefined
    if (peer) return sendDirect(peer, envelope)
    if (route.mailboxes.length === 0) return failure('no mailbox is known')
    // As the network does: two that can be reached, and unproven ones besides.
    const reached = route.mailboxes.filter((mailbox) => world.relayOf(mailbox).up)
    const targets = [
      ...reached.filter(({ unproven }) => unproven),
      ...reached.filter(({ unproven }) => !unproven).slice(0, 2),
    ]
    if (targets.length === 0) {
      await wait(Math.max(...route.mailboxes.map((mailbox) => world.relayOf(mailbox).silentMs)))
      return failure('the relay is down')
    }
    for (const mailbox of targets) world.deposit(mailbox, envelope)
    return world.hit(world.faults.loseAnswer) ? failure('the answer was lost') : { ok: true, value: 'deposited' }
  }

  const fetchBundles = (relay: TestRelay, accountId: Uint8Array): PrekeyBundle[] => {
    const log = relay.logs.get(toHex(accountId))
    const all = relay.prekeys.get(toHex(accountId)) ?? []
    const take = (kind: SignedPublicKey['kind']): SignedPublicKey | undefined => {
      const index = all.findIndex((prekey) => prekey.kind === kind)
      return index < 0 ? undefined : all.splice(index, 1)[0]
    }
    const newest = (kind: SignedPublicKey['kind']) => all.filter((prekey) => prekey.kind === kind).at(-1)
    const [device] = log ? verifyAccountLog(log).devices : []
    const signedPrekey = newest('signed')
    const kemPrekey = take('one-time-kem') ?? newest('last-resort-kem')
    const oneTimePrekey = take('one-time')
    const { oneTime, oneTimeKem } = count(relay, accountId)
    if (oneTime < 20 || oneTimeKem < 20) {
      const owner = [...world.connections.values()].find((one) => one.accountOf() === toHex(accountId))
      owner?.listener.onPrekeysLow(relay.relayKey)
    }
    if (!device || !signedPrekey || !kemPrekey) return []
    return [
      { accountId, deviceId: device.deviceId, signedPrekey, kemPrekey, ...(oneTimePrekey ? { oneTimePrekey } : {}) },
    ]
  }

  const count = (relay: TestRelay, accountId: Uint8Array) => {
    const all = relay.prekeys.get(toHex(accountId)) ?? []
    const of = (kind: SignedPublicKey['kind']) => all.filter((prekey) => prekey.kind === kind).length
    return { oneTime: of('one-time'), oneTimeKem: of('one-time-kem') }
  }

  /** Mailboxes of this engine from now on; what is not named any more has no owner. */
  const collect = (connection: Connection, next: readonly OwnMailbox[]): void => {
    const has = (list: readonly OwnMailbox[], id: Uint8Array) => list.some((one) => equalBytes(one.mailboxId, id))
    const before = mailboxes
    mailboxes = next
    for (const { mailboxId } of before.filter((one) => !has(next, one.mailboxId))) {
      const mailbox = world.mailbox(mailboxId)
      if (mailbox.owner === connection) mailbox.owner = undefined
    }
    for (const { relayKey, mailboxId } of next) {
      const relay = world.relayOf({ relayKey })
      const mailbox = world.mailbox(mailboxId, relay)
      mailbox.owner = connection
      void world.deliver(mailbox)
      if (!has(before, mailboxId)) connection.listener.onRelayState(relayKey, world.stateOf(relay))
    }
  }
  const allOf = (device: OwnMailboxes): OwnMailbox[] => [...device.mailboxes, ...(device.left ?? [])]

  return {
    start: async (device, listener) => {
      if (world.failStarts-- > 0) throw new Error('the host does not start')
      const deviceKey = toHex(deviceKeyOf(device.deviceSeed))
      own = { listener, deviceKey, accountOf: whoAmI }
      world.connections.set(deviceKey, own)
      mailboxes = []
      retired = (device.retired ?? []).flatMap(allOf)
      collect(own, [...allOf(device), ...retired])
    },
    stop: async () => {
      if (!own) return
      if (world.connections.get(own.deviceKey) === own) world.connections.delete(own.deviceKey)
      collect(own, [])
    },
    collect: async (device) => {
      if (own) collect(own, [...allOf(device), ...retired])
    },
    identifyRelay: async (addresses) => {
      const relay = world.relays.find(({ address }) => addresses.includes(address))
      if (!relay) return failure('nobody answers')
      return at(relay, () => ({
        relayKey: relay.relayKey,
        info: {
          name: 'Test relay',
          version: '1',
          addresses: [relay.address],
          stunPort: 0,
          oldestClient: world.oldestClient,
          mailboxRetentionMs: 2_592_000_000,
        },
      }))
    },
    publishLog: async (address, log) => {
      if (world.relayOf(address).full) return { ok: false, reason: 'slow-down', message: 'not now' }
      return at(address, ({ logs, prekeys }) => {
        const { accountId, devices } = verifyAccountLog(log)
        const name = toHex(accountId)
        const before = logs.get(name)
        // As a relay does: prekeys of a device that is not listed any more are dropped.
        if (
          before &&
          toHex(verifyAccountLog(before).devices[0]?.deviceId ?? log) !== toHex(devices[0]?.deviceId ?? log)
        )
          prekeys.delete(name)
        logs.set(name, log)
        return null
      })
    },
    publishPrekeys: async (address, owner, prekeys) => {
      const known = world.relayOf(address)
      if (known.up && !owns(known, owner)) return notOwner
      await known.publishing
      const { accountId } = owner
      return at(address, (relay) => {
        const all = relay.prekeys.get(toHex(accountId)) ?? []
        relay.prekeys.set(toHex(accountId), all)
        for (const prekey of prekeys) if (!all.some((one) => one.id === prekey.id)) all.push(prekey)
        return count(relay, accountId)
      })
    },
    countPrekeys: async (address, owner) => {
      world.counted++
      const known = world.relayOf(address)
      if (known.up && !owns(known, owner)) return notOwner
      return at(address, (relay) => count(relay, owner.accountId))
    },
    advance: ({ relayKey, mailboxId }, counter) =>
      at({ relayKey }, (relay) => {
        const mailbox = world.mailbox(mailboxId, relay)
        const before = mailbox.counter
        mailbox.counter = Math.max(before, counter)
        return before
      }),
    setLanes: ({ relayKey, mailboxId }, lanes) =>
      at({ relayKey }, (relay) => {
        for (const lane of lanes) world.mailbox(mailboxId, relay).lanes.set(toHex(lane.laneHash), lane)
        return null
      }),
    revokeLanes: ({ relayKey, mailboxId }, hashes) =>
      at({ relayKey }, (relay) => {
        for (const hash of hashes) world.mailbox(mailboxId, relay).lanes.delete(toHex(hash))
        return null
      }),
    fetchLog: async (address, accountId) => {
      const relay = world.relayOf(address)
      relay.logsAsked++
      const log = relay.lies.get(toHex(accountId)) ?? relay.logs.get(toHex(accountId))
      if (!relay.up) return failure('not there')
      if (log) return { ok: true, value: log }
      relay.notFound++
      return notFound
    },
    fetchBundles: async (address, accountId) => {
      const result = await at(address, (relay) => fetchBundles(relay, accountId))
      return result.ok && result.value.length === 0 ? notFound : result
    },
    send,
    signal: async (contactId, signal) => {
      const peer = [...world.connections.values()].find((one) => one.accountOf() === contactId)
      if (!world.direct || !peer) return false
      await passOn(world.linkBetween(whoAmI(), contactId), signal, peer.listener, own?.listener)
      return true
    },
    wantDirect: ({ contactId }, wanted) => {
      if (own && wanted) world.wanted.push(contactId)
    },
  }
}
