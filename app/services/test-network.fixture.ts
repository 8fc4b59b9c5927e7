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
  PeerRoute,
  ReceivedEnvelope,
  SendPath,
} from '../../signaling/network.ts'

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

/** One relay and the air around it, as far as an engine can tell: real bytes between real engines, and every kind of trouble. */
export class TestWorld {
  readonly relayKey: Uint8Array = crypto.getRandomValues(new Uint8Array(32))
  readonly address = '/dns4/relay.test/tcp/443/wss'
  readonly logs = new Map<string, Uint8Array>()
  readonly prekeys = new Map<string, SignedPublicKey[]>()
  readonly mailboxes = new Map<string, Mailbox>()
  readonly connections = new Map<string, Connection>()
  /** Every envelope that was ever handed over, in order, with its sender's account id. */
  readonly seen: { readonly envelope: Uint8Array; readonly from: string | undefined }[] = []
  relayUp = true
  direct = false
  /** Oldest version of clients the relay serves. */
  oldestClient = 1
  /** How often somebody asked how many prekeys are left. */
  counted = 0
  /** How often an account log was asked for that is not there. */
  notFound = 0
  /** So many starts of a network fail. */
  failStarts = 0
  /** Contacts (hex) for whom a started network was asked for a direct link, in order. */
  readonly wanted: string[] = []
  faults: Faults = {}
  #links = 0
  readonly #chance: () => number

  constructor(seed = 1) {
    this.#chance = seeded(seed)
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
    for (const { lanes } of this.mailboxes.values()) lanes.clear()
  }

  mailbox(id: Uint8Array): Mailbox {
    const name = toHex(id)
    let mailbox = this.mailboxes.get(name)
    if (!mailbox)
      this.mailboxes.set(
        name,
        (mailbox = { waiting: [], lanes: new Map(), counter: 0, owner: undefined, delivering: false }),
      )
    return mailbox
  }

  /** Puts an envelope into a mailbox as somebody who knows a lane would. */
  deposit(mailboxId: Uint8Array, lane: Uint8Array, envelope: Uint8Array): void {
    const mailbox = this.mailbox(mailboxId)
    const hash = laneHash(lane)
    if (!mailbox.lanes.has(toHex(hash))) return
    if (mailbox.waiting.some((one) => equalBytes(one.envelope, envelope)) && !this.hit(this.faults.duplicate)) return
    mailbox.waiting.push({ envelope, laneHash: hash })
    if (this.hit(this.faults.duplicate)) mailbox.waiting.push({ envelope, laneHash: hash })
    if (this.hit(this.faults.reorder)) mailbox.waiting.sort(() => this.#chance() - 0.5)
    void this.deliver(mailbox)
  }

  async deliver(mailbox: Mailbox): Promise<void> {
    if (mailbox.delivering) return
    mailbox.delivering = true
    while (mailbox.owner && this.relayUp && mailbox.waiting.length > 0) {
      const { listener } = mailbox.owner
      const batch = mailbox.waiting.slice(0, 50)
      const source = {
        kind: 'mailbox',
        relayKey: this.relayKey,
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
    a.listener.onPath(idB, 'direct')
    b.listener.onPath(idA, 'direct')
    return true
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
  const up = <T>(value: () => T): Promise<NetworkResult<T>> =>
    Promise.resolve(world.relayUp ? { ok: true, value: value() } : failure('the relay is down'))

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
    if (!world.relayUp) return failure('the relay is down')
    if (route.mailboxes.length === 0) return failure('no mailbox is known')
    for (const { mailboxId, lane } of route.mailboxes) world.deposit(mailboxId, lane, envelope)
    return world.hit(world.faults.loseAnswer) ? failure('the answer was lost') : { ok: true, value: 'deposited' }
  }

  const fetchBundles = (accountId: Uint8Array): PrekeyBundle[] => {
    const log = world.logs.get(toHex(accountId))
    const all = world.prekeys.get(toHex(accountId)) ?? []
    const take = (kind: SignedPublicKey['kind']): SignedPublicKey | undefined => {
      const at = all.findIndex((prekey) => prekey.kind === kind)
      return at < 0 ? undefined : all.splice(at, 1)[0]
    }
    const newest = (kind: SignedPublicKey['kind']) => all.filter((prekey) => prekey.kind === kind).at(-1)
    const [device] = log ? verifyAccountLog(log).devices : []
    const signedPrekey = newest('signed')
    const kemPrekey = take('one-time-kem') ?? newest('last-resort-kem')
    const oneTimePrekey = take('one-time')
    const { oneTime, oneTimeKem } = count(accountId)
    if (oneTime < 20 || oneTimeKem < 20) {
      const owner = [...world.connections.values()].find((one) => one.accountOf() === toHex(accountId))
      owner?.listener.onPrekeysLow(world.relayKey)
    }
    if (!device || !signedPrekey || !kemPrekey) return []
    return [
      { accountId, deviceId: device.deviceId, signedPrekey, kemPrekey, ...(oneTimePrekey ? { oneTimePrekey } : {}) },
    ]
  }

  const count = (accountId: Uint8Array) => {
    const all = world.prekeys.get(toHex(accountId)) ?? []
    const of = (kind: SignedPublicKey['kind']) => all.filter((prekey) => prekey.kind === kind).length
    return { oneTime: of('one-time'), oneTimeKem: of('one-time-kem') }
  }

  return {
    start: async (device, listener) => {
      if (world.failStarts-- > 0) throw new Error('the host does not start')
      mailboxes = [...device.mailboxes, ...(device.retired ?? []).flatMap((earlier) => earlier.mailboxes)]
      const deviceKey = toHex(deviceKeyOf(device.deviceSeed))
      own = { listener, deviceKey, accountOf: whoAmI }
      world.connections.set(deviceKey, own)
      for (const { mailboxId } of mailboxes) {
        const mailbox = world.mailbox(mailboxId)
        mailbox.owner = own
        void world.deliver(mailbox)
      }
      const serves = world.oldestClient <= 2
      listener.onRelayState(world.relayKey, !serves ? 'outdated' : world.relayUp ? 'connected' : 'reconnecting')
    },
    stop: async () => {
      if (own && world.connections.get(own.deviceKey) === own) world.connections.delete(own.deviceKey)
      for (const { mailboxId } of mailboxes) {
        const mailbox = world.mailbox(mailboxId)
        if (mailbox.owner === own) mailbox.owner = undefined
      }
    },
    identifyRelay: () =>
      up(() => ({
        relayKey: world.relayKey,
        info: {
          name: 'Test relay',
          version: '1',
          addresses: [world.address],
          stunPort: 0,
          oldestClient: world.oldestClient,
          mailboxRetentionMs: 2_592_000_000,
        },
      })),
    publishLog: (_relay, log) =>
      up(() => {
        const { accountId, devices } = verifyAccountLog(log)
        const name = toHex(accountId)
        const before = world.logs.get(name)
        // As a relay does: prekeys of a device that is not listed any more are dropped.
        if (
          before &&
          toHex(verifyAccountLog(before).devices[0]?.deviceId ?? log) !== toHex(devices[0]?.deviceId ?? log)
        )
          world.prekeys.delete(name)
        world.logs.set(name, log)
        return null
      }),
    publishPrekeys: async (_relay, { accountId }, prekeys) => {
      if (world.relayUp && !world.logs.has(toHex(accountId))) return notOwner
      return up(() => {
        const all = world.prekeys.get(toHex(accountId)) ?? []
        world.prekeys.set(toHex(accountId), all)
        for (const prekey of prekeys) if (!all.some((known) => known.id === prekey.id)) all.push(prekey)
        return count(accountId)
      })
    },
    countPrekeys: async (_relay, { accountId }) =>
      ++world.counted > 0 && world.relayUp && !world.logs.has(toHex(accountId)) ? notOwner : up(() => count(accountId)),
    advance: ({ mailboxId }, counter) =>
      up(() => {
        const mailbox = world.mailbox(mailboxId)
        const before = mailbox.counter
        mailbox.counter = Math.max(before, counter)
        return before
      }),
    setLanes: ({ mailboxId }, lanes) =>
      up(() => {
        for (const lane of lanes) world.mailbox(mailboxId).lanes.set(toHex(lane.laneHash), lane)
        return null
      }),
    revokeLanes: ({ mailboxId }, hashes) =>
      up(() => {
        for (const hash of hashes) world.mailbox(mailboxId).lanes.delete(toHex(hash))
        return null
      }),
    fetchLog: async (_relay, accountId) => {
      const log = world.logs.get(toHex(accountId))
      if (!world.relayUp) return failure('not there')
      if (log) return { ok: true, value: log }
      world.notFound++
      return notFound
    },
    fetchBundles: (_relay, accountId) => up(() => fetchBundles(accountId)),
    send,
    signal: async (contactId, signal) => {
      const peer = [...world.connections.values()].find((one) => one.accountOf() === contactId)
      if (!world.direct || !peer) return false
      await peer.listener.onSignal(1, signal)
      return true
    },
    wantDirect: ({ contactId }, wanted) => {
      if (own && wanted) world.wanted.push(contactId)
    },
  }
}
