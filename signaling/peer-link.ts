import type { Stream } from '@libp2p/interface'
import type { Random } from '../protocol/wire/brand.ts'
import { secondMs } from '../protocol/wire/limits.ts'
import { byReach, depositEnvelope } from './dial/deposits.ts'
import { DialFailure } from './dial/dial-failure.ts'
import { Dialer } from './dial/dialer.ts'
import { Links } from './dial/links.ts'
import { Semaphore } from './dial/semaphore.ts'
import { onAwakening, type NetworkEnvironment } from './environment.ts'
import { CourierPool } from './host/courier-pool.ts'
import { Home } from './host/home.ts'
import { identifyRelay } from './host/identify-relay.ts'
import { StunServers } from './host/stun-servers.ts'
import type {
  Network,
  NetworkListener,
  NetworkResult,
  OwnMailboxes,
  PeerPath,
  PeerRoute,
  RelayAddress,
  RelayState,
} from './network.ts'
import { Paths } from './presence/paths.ts'
import {
  advance,
  countPrekeys,
  fetchBundles,
  fetchLog,
  publishLog,
  publishPrekeys,
  revokeLanes,
  setLanes,
} from './relay/calls.ts'
import type { RelayChannel } from './relay/channel.ts'
import { resultOf } from './relay/failure.ts'

/** Dials under way at once, over all contacts. */
const maxDials = 4

/** One relay has this long for its part in a dial before the contact's next relay is asked. */
const dialPerRelayMs = 9 * secondMs

export interface NetworkOptions {
  /** The page around; `{ window, document, navigator }` fits. */
  readonly environment: NetworkEnvironment
  /** Unix milliseconds. @default Date.now */
  readonly now?: () => number
  /** @default crypto.getRandomValues */
  readonly random?: Random
}

const systemRandom: Random = (length) => crypto.getRandomValues(new Uint8Array(length))

/** The network of one page. Loads no key and opens no connection before `start` or the first call. */
export const createNetwork = (options: NetworkOptions): Network => new PeerLink(options)

/** How the home of a retired device is started: what happens to its connections concerns nobody. */
const collectOnly = {
  reachable: false,
  onRelayState: () => {},
  onPrekeysLow: () => {},
  onLinkStream: (stream: Stream) => stream.abort(new Error('this device was replaced')),
} as const

class PeerLink implements Network {
  readonly #environment: NetworkEnvironment
  /** Homes of retired devices: they only collect. */
  #retired: Promise<Home>[] = []
  readonly #random: Random
  readonly #stun = new StunServers()
  readonly #couriers: CourierPool
  readonly #dials = new Semaphore(maxDials)
  readonly #dialers = new Map<string, Dialer>()
  #paths: Paths | undefined
  #links: Links | undefined
  #listener: NetworkListener | undefined
  #home: Home | undefined
  /** The home of the start that still counts: `stop` takes it away, and with it whatever is only just starting. */
  #starting: Promise<Home> | undefined
  #endAwakening: () => void = () => {}

  constructor({ environment, now = () => Date.now(), random = systemRandom }: NetworkOptions) {
    this.#environment = environment
    this.#random = random
    this.#couriers = new CourierPool({ now, random, stun: this.#stun, onChange: () => this.#paths?.refreshAll() })
  }

  async start({ retired = [], ...device }: Parameters<Network['start']>[0], listener: NetworkListener): Promise<void> {
    if (this.#links !== undefined) throw new Error('the network is already started')
    const links = new Links({
      listener,
      onUp: (contactId) => this.#onLink(contactId, true),
      onDown: (contactId) => this.#onLink(contactId, false),
      isWanted: (contactId) => this.#dialers.get(contactId)?.wanted === true,
    })
    this.#links = links
    this.#listener = listener
    this.#paths = new Paths(
      (contactId) => this.#pathOf(contactId),
      (contactId, path) => listener.onPath(contactId, path),
    )
    const { window } = this.#environment
    const onPageHide = (): void => void links.close()
    const endAwakening = onAwakening(this.#environment, () => this.#encourage())
    window.addEventListener('pagehide', onPageHide)
    this.#endAwakening = () => {
      endAwakening()
      window.removeEventListener('pagehide', onPageHide)
    }
    const common = {
      random: this.#random,
      environment: this.#environment,
      stun: this.#stun,
      onEnvelopes: (...batch: Parameters<NetworkListener['onEnvelopes']>) => listener.onEnvelopes(...batch),
    }
    const starting = Home.start({
      ...common,
      ...device,
      onRelayState: (relayKey, state) => this.#onRelayState(listener, relayKey, state),
      onPrekeysLow: (relayKey) => listener.onPrekeysLow(relayKey),
      onLinkStream: (stream, connection) => links.accept(stream, connection),
    })
    this.#starting = starting
    this.#retired = retired.map((earlier) => Home.start({ ...common, ...earlier, ...collectOnly }))
    try {
      const [home] = await Promise.all([starting, ...this.#retired])
      if (this.#starting === starting) this.#home = home
    } catch (error) {
      // Nothing may stay behind that would refuse the next attempt.
      if (this.#starting === starting) await this.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    const starting = this.#starting
    const retired = this.#retired
    this.#starting = undefined
    this.#retired = []
    this.#endAwakening()
    for (const dialer of this.#dialers.values()) dialer.stop()
    this.#dialers.clear()
    await this.#links?.close()
    // A start that failed has told its caller, and left nothing to stop.
    const stopped = [...(starting ? [starting] : []), ...retired].map((one) =>
      one.then(
        (home) => home.stop(),
        () => {},
      ),
    )
    await Promise.all([...stopped, this.#couriers.stop()])
    this.#home = undefined
    this.#links = undefined
    this.#listener = undefined
    this.#paths = undefined
  }

  async collect(own: OwnMailboxes): Promise<void> {
    // A start that failed has told its caller.
    const home = await this.#starting?.catch(() => undefined)
    await home?.collect(own)
  }

  identifyRelay(addresses: readonly string[]): ReturnType<Network['identifyRelay']> {
    return resultOf(() => identifyRelay(addresses))
  }

  publishLog(relay: RelayAddress, log: Uint8Array): Promise<NetworkResult<null>> {
    return this.#atHome(relay, async (channel) => {
      await publishLog(channel, log)
      return null
    })
  }

  publishPrekeys(
    ...[relay, owner, prekeys]: Parameters<Network['publishPrekeys']>
  ): ReturnType<Network['publishPrekeys']> {
    return this.#atHome(relay, (channel) => publishPrekeys(channel, owner, prekeys))
  }

  countPrekeys(...[relay, owner]: Parameters<Network['countPrekeys']>): ReturnType<Network['countPrekeys']> {
    return this.#atHome(relay, (channel) => countPrekeys(channel, owner))
  }

  setLanes(...[mailbox, lanes]: Parameters<Network['setLanes']>): ReturnType<Network['setLanes']> {
    return this.#atHome(mailbox, async (channel) => {
      await setLanes(channel, mailbox.mailboxId, lanes)
      return null
    })
  }

  revokeLanes(...[mailbox, laneHashes]: Parameters<Network['revokeLanes']>): ReturnType<Network['revokeLanes']> {
    return this.#atHome(mailbox, async (channel) => {
      await revokeLanes(channel, mailbox.mailboxId, laneHashes)
      return null
    })
  }

  advance(...[mailbox, counter]: Parameters<Network['advance']>): ReturnType<Network['advance']> {
    return this.#atHome(mailbox, (channel) => advance(channel, mailbox.mailboxId, counter))
  }

  fetchLog(relay: RelayAddress, accountId: Uint8Array): Promise<NetworkResult<Uint8Array>> {
    return resultOf(() => this.#couriers.get(relay).use((channel) => fetchLog(channel, accountId)))
  }

  fetchBundles(relay: RelayAddress, accountId: Uint8Array): ReturnType<Network['fetchBundles']> {
    return resultOf(() => this.#couriers.get(relay).use((channel) => fetchBundles(channel, accountId)))
  }

  send(route: PeerRoute, envelope: Uint8Array): ReturnType<Network['send']> {
    return this.#dialer(route).send(envelope)
  }

  signal(contactId: string, signal: Uint8Array): Promise<boolean> {
    return Promise.resolve(this.#links?.signal(contactId, signal) === true)
  }

  wantDirect(route: PeerRoute, wanted: boolean): void {
    this.#dialer(route).want(wanted)
    this.#links?.attend(route.contactId)
  }

  #atHome<T>(relay: RelayAddress, call: (channel: RelayChannel) => Promise<T>): Promise<NetworkResult<T>> {
    return resultOf(async () => {
      if (this.#home === undefined) throw new Error('the network is not started')
      return call(await this.#home.channel(relay))
    })
  }

  #dialer(route: PeerRoute): Dialer {
    const known = this.#dialers.get(route.contactId)
    if (known !== undefined) {
      known.route = route
      return known
    }
    const dialer = new Dialer(route, {
      random: this.#random,
      dials: this.#dials,
      dial: (...attempt) => this.#dial(...attempt),
      transmit: (contactId, envelope) => this.#links?.send(contactId, envelope) ?? Promise.resolve(false),
      onDial: (contactId, outcome) => this.#listener?.onDial(contactId, outcome),
      deposit: (to, envelope) => depositEnvelope(this.#couriers, to, envelope),
    })
    this.#dialers.set(route.contactId, dialer)
    if (this.#links?.current(route.contactId) !== undefined) dialer.linkUp()
    this.#paths?.refresh(route.contactId)
    return dialer
  }

  /** The relays of the contact take turns in introducing us, those that are reached first. */
  async #dial({ contactId, deviceKey, mailboxes }: PeerRoute, attempt: number, signal: AbortSignal): Promise<void> {
    const relay = byReach(this.#couriers, mailboxes)[attempt % Math.max(1, mailboxes.length)]
    const links = this.#links
    if (relay === undefined || links === undefined) throw new DialFailure('no-relay')
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(dialPerRelayMs)])
    const connection = await this.#couriers.get(relay).dialDirect(deviceKey, deadline)
    try {
      await links.open(contactId, connection, deadline)
    } catch (cause) {
      throw new DialFailure('not-recognised', cause)
    }
  }

  #onLink(contactId: string, up: boolean): void {
    const dialer = this.#dialers.get(contactId)
    if (up) dialer?.linkUp()
    else dialer?.linkDown()
    this.#paths?.refresh(contactId)
  }

  #onRelayState(listener: NetworkListener, relayKey: Uint8Array, state: RelayState): void {
    const courier = this.#couriers.peek(relayKey)
    if (state === 'connected') {
      courier?.encourage()
      this.#encourage()
    } else if (state !== 'connecting') courier?.suspect()
    listener.onRelayState(relayKey, state)
    this.#paths?.refreshAll()
  }

  #encourage(): void {
    for (const dialer of this.#dialers.values()) dialer.encourage()
  }

  #pathOf(contactId: string): PeerPath {
    if (this.#links?.current(contactId) !== undefined) return 'direct'
    const mailboxes = this.#dialers.get(contactId)?.route.mailboxes ?? []
    const reachable = mailboxes.map(({ relayKey }) => this.#couriers.peek(relayKey)?.reachable)
    if (reachable.includes(true)) return 'relay'
    // A relay we have not asked lately is taken to be there as long as our own is.
    const open = reachable.length === 0 || reachable.includes(undefined)
    return open && this.#home?.connected === true ? 'relay' : 'none'
  }
}
