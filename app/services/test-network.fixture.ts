import { laneHash } from '../../protocol/envelope/lane.ts'
import { verifyAccountLog } from '../../protocol/identity/account-log.ts'
import type { PrekeyBundle, SignedPublicKey } from '../../protocol/identity/prekeys.ts'
import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import type {
  LaneGrant,
  Network,
  NetworkFailure,
  NetworkListener,
  NetworkResult,
  OwnMailbox,
  OwnMailboxes,
  PeerRoute,
  ReceivedEnvelope,
  RelayAddress,
  RelayState,
  RemoteMailbox,
  SendPath,
} from '../../signaling/network.ts'
import { passOn } from './pass-on.fixture.ts'
import { TestRelay } from './test-relay.fixture.ts'

/** A repeatable source of numbers in [0, 1). */
export const seeded = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Chances from 0 to 1 per envelope; `delayMs` is the most one is held up. */
export interface Faults {
  /** The sender is told "offline" and nothing went out. */
  readonly lose?: number
  /** It went out, but the sender is told "offline". */
  readonly loseAnswer?: number
  /** The sender is told yes, but nothing went out: a relay with a spent lane. */
  readonly swallow?: number
  readonly duplicate?: number
  readonly reorder?: number
  readonly delayMs?: number
}

interface Mailbox {
  readonly relay: TestRelay
  readonly waiting: ReceivedEnvelope[]
  readonly lanes: Map<string, LaneGrant>
  counter: number
  owner: Connection | undefined
  delivering: boolean
}

interface Connection {
  readonly listener: NetworkListener
  readonly deviceKey: string
  readonly accountOf: () => string | undefined
}

const failure = (message: string): NetworkFailure => ({ ok: false, reason: 'offline', message })
const notOwner: NetworkFailure = { ok: false, reason: 'refused', refusal: 'not-owner', message: 'no such account' }
const notFound: NetworkFailure = { ok: false, reason: 'refused', refusal: 'not-found', message: 'no such account' }
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Relays (one, unless more are added) and the air around them, as far as an engine can tell: real bytes between real engines, and every kind of trouble. */
export class TestWorld {
  readonly relay = new TestRelay(1, (relay) => this.#turned(relay))
  readonly relays: TestRelay[] = [this.relay]
  readonly mailboxes = new Map<string, Mailbox>()
  readonly connections = new Map<string, Connection>()
  /** Every envelope that was ever handed over, in order, with its sender's account id. */
  readonly seen: { readonly envelope: Uint8Array; readonly from: string | undefined }[] = []
  direct = false
  /** Oldest version of clients the relay serves. */
  oldestClient = 1
  /** How often somebody asked how many prekeys are left. */
  counted = 0
  /** So many starts of a network fail. */
  failStarts = 0
  /** Contacts (hex) for whom a started network was asked for a direct link, in order. */
  readonly wanted: string[] = []
  faults: Faults = {}
  #links = 0
  /** The newest link of two accounts, by both their names in order. */
  readonly #linkOf = new Map<string, number>()
  readonly #chance: () => number

  constructor(seed = 1) {
    this.#chance = seeded(seed)
  }

  get relayKey(): Uint8Array {
    return this.relay.relayKey
  }

  get address(): string {
    return this.relay.address
  }

  get logs(): Map<string, Uint8Array> {
    return this.relay.logs
  }

  get prekeys(): Map<string, SignedPublicKey[]> {
    return this.relay.prekeys
  }

  get notFound(): number {
    return this.relay.notFound
  }

  get relayUp(): boolean {
    return this.relay.up
  }

  set relayUp(up: boolean) {
    this.relay.up = up
  }

  /** One more relay. */
  addRelay(): TestRelay {
    const relay = new TestRelay(this.relays.length + 1, (turned) => this.#turned(turned))
    this.relays.push(relay)
    return relay
  }

  relayOf({ relayKey }: { readonly relayKey: Uint8Array }): TestRelay {
    const relay = this.relays.find((one) => equalBytes(one.relayKey, relayKey))
    if (!relay) throw new Error('there is no such relay')
    return relay
  }

  /** A relay went, or came back: whoever collects there notices. */
  #turned(relay: TestRelay): void {
    for (const mailbox of this.mailboxes.values()) {
      if (mailbox.relay !== relay || !mailbox.owner) continue
      mailbox.owner.listener.onRelayState(relay.relayKey, this.stateOf(relay))
      void this.deliver(mailbox)
    }
  }

  stateOf({ up }: TestRelay): RelayState {
    return this.oldestClient > 2 ? 'outdated' : up ? 'connected' : 'reconnecting'
  }

  hit(chance: number | undefined): boolean {
    return chance !== undefined && this.#chance() < chance
  }

  delay(): Promise<void> {
    return this.faults.delayMs ? wait(this.#chance() * this.faults.delayMs) : Promise.resolve()
  }

  /** The relay comes back with an empty database. */
  loseDatabase(): void {
    this.logs.clear()
    this.prekeys.clear()
    for (const { relay, lanes } of this.mailboxes.values()) if (relay === this.relay) lanes.clear()
  }

  mailbox(id: Uint8Array, relay = this.relay): Mailbox {
    const name = toHex(id)
    let mailbox = this.mailboxes.get(name)
    if (!mailbox)
      this.mailboxes.set(
        name,
        (mailbox = { relay, waiting: [], lanes: new Map(), counter: 0, owner: undefined, delivering: false }),
      )
    return mailbox
  }

  /** Puts an envelope into a mailbox as somebody who knows a lane would. */
  deposit({ relayKey, mailboxId, lane }: RemoteMailbox, envelope: Uint8Array): void {
    const mailbox = this.mailbox(mailboxId, this.relayOf({ relayKey }))
    const hash = laneHash(lane)
    const grant = mailbox.lanes.get(toHex(hash))
    if (!grant || grant.envelopes === 0) return
    if (grant.envelopes !== undefined) mailbox.lanes.set(toHex(hash), { ...grant, envelopes: grant.envelopes - 1 })
    if (mailbox.waiting.some((one) => equalBytes(one.envelope, envelope)) && !this.hit(this.faults.duplicate)) return
    mailbox.waiting.push({ envelope, laneHash: hash })
    if (this.hit(this.faults.duplicate)) mailbox.waiting.push({ envelope, laneHash: hash })
    if (this.hit(this.faults.reorder)) mailbox.waiting.sort(() => this.#chance() - 0.5)
    void this.deliver(mailbox)
  }

  async deliver(mailbox: Mailbox): Promise<void> {
    if (mailbox.delivering) return
    mailbox.delivering = true
    while (mailbox.owner && mailbox.relay.up && mailbox.waiting.length > 0) {
      const { listener } = mailbox.owner
      const batch = mailbox.waiting.slice(0, 50)
      const source = {
        kind: 'mailbox',
        relayKey: mailbox.relay.relayKey,
        waiting: mailbox.waiting.length - batch.length,
      } as const
      await this.delay()
      const answers = await listener.onEnvelopes(source, batch).catch(() => batch.map(() => false))
      for (const [i, one] of batch.entries()) if (answers[i]) mailbox.waiting.splice(mailbox.waiting.indexOf(one), 1)
      if (answers.includes(false)) await wait(5)
    }
    mailbox.delivering = false
  }

  /** Opens a direct link between two engines: hello, answer, and the path on both sides. */
  async link(a: Connection, b: Connection): Promise<boolean> {
    const [idA, idB] = [a.accountOf(), b.accountOf()]
    if (idA === undefined || idB === undefined) return false
    const linkId = ++this.#links
    const hello = await a.listener.hello(idB)
    const answered = hello && (await b.listener.onSignal(linkId, hello))
    const known = answered?.reply && (await a.listener.onSignal(linkId, answered.reply))
    if (!known || answered.contactId !== idA || known.contactId !== idB) return false
    this.#linkOf.set([idA, idB].toSorted().join(), linkId)
    a.listener.onPath(idB, 'direct')
    b.listener.onPath(idA, 'direct')
    return true
  }

  /** Number of the link between two accounts; signals that nobody opened a link for come over one of their own. */
  linkBetween(a: string | undefined, b: string): number {
    return this.#linkOf.get([a ?? '', b].toSorted().join()) ?? 0
  }

  connection(deviceKey: Uint8Array): Connection | undefined {
    return this.connections.get(toHex(deviceKey))
  }
}

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
    publishPrekeys: async (address, { accountId }, prekeys) => {
      const known = world.relayOf(address)
      if (known.up && !known.logs.has(toHex(accountId))) return notOwner
      return at(address, (relay) => {
        const all = relay.prekeys.get(toHex(accountId)) ?? []
        relay.prekeys.set(toHex(accountId), all)
        for (const prekey of prekeys) if (!all.some((one) => one.id === prekey.id)) all.push(prekey)
        return count(relay, accountId)
      })
    },
    countPrekeys: async (address, { accountId }) => {
      world.counted++
      const known = world.relayOf(address)
      if (known.up && !known.logs.has(toHex(accountId))) return notOwner
      return at(address, (relay) => count(relay, accountId))
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
    fetchBundles: (address, accountId) => at(address, (relay) => fetchBundles(relay, accountId)),
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
