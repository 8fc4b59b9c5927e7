import type { Connection, Stream } from '@libp2p/interface'
import { mailboxProtocol } from '../../protocol/relay/mailbox-calls.ts'
import { prekeysProtocol } from '../../protocol/relay/prekey-calls.ts'
import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import { secondMs } from '../../protocol/wire/limits.ts'
import { isServed, ownVersions } from '../../protocol/wire/versions.ts'
import { breathe, type Chance, type NetworkEnvironment } from '../environment.ts'
import type { NetworkListener, OwnMailbox, OwnMailboxes, RelayAddress, RelayState } from '../network.ts'
import { fetchInfo, pingMailbox } from '../relay/calls.ts'
import type { RelayChannel } from '../relay/channel.ts'
import { MailboxReceiver, readPush } from '../relay/mailbox-receiver.ts'
import { RelayOutdated, RelaySupervisor } from '../relay/supervisor.ts'
import { linkProtocol } from '../stream/link-frame.ts'
import { createClientHost, type ClientHost } from './client-host.ts'
import { peerIdOfKey, privateKeyOfSeed } from './peer-key.ts'
import { longestAddressDialMs, RelayDialler } from './relay-dialler.ts'
import type { StunServers } from './stun-servers.ts'

/** A relay that has not answered on one address within 5 s is tried on its next one. */
const addressDialMs = 5 * secondMs

/** A call made while its relay is being connected waits that long, and then fails as offline. */
const connectedWithinMs = 8 * secondMs

/** Circuits under way towards us; above, further callers are refused. A household of contacts coming online at once fits. */
const maxInboundCircuits = 32

export interface HomeOptions extends Chance, OwnMailboxes {
  readonly environment: NetworkEnvironment
  readonly deviceSeed: Uint8Array
  /** False: nobody is to reach this device any more; its mailboxes are collected, and that is all. @default true */
  readonly reachable?: boolean
  readonly stun: StunServers
  readonly onEnvelopes: NetworkListener['onEnvelopes']
  readonly onRelayState: (relayKey: Uint8Array, state: RelayState) => void
  readonly onPrekeysLow: (relayKey: Uint8Array) => void
  /** Somebody opened a link stream on a direct connection. */
  readonly onLinkStream: (stream: Stream, connection: Connection) => void
}

/** A relay that is kept connected, and the mailbox collected there. */
interface Collected {
  readonly mailbox: OwnMailbox
  readonly supervisor: RelaySupervisor
  readonly receiver: MailboxReceiver
}

/** The host with the device's own key: keeps the own relays connected, collects own mailboxes, is reachable for links. */
export class Home {
  readonly #host: ClientHost
  readonly #options: HomeOptions
  /** Addresses being dialled; no others are. */
  readonly #dialling: Set<string>
  /** By relay key (hex): one mailbox per relay. */
  readonly #collected = new Map<string, Collected>()
  /** Relays (hex) that are to introduce others to us. */
  #introducing = new Set<string>()
  /** Circuit addresses listened on; a relay that is let go frees one, which the next relay takes. */
  #circuits = 0
  readonly #waiters = new Set<() => void>()

  private constructor(host: ClientHost, options: HomeOptions, dialling: Set<string>) {
    this.#host = host
    this.#options = options
    this.#dialling = dialling
  }

  /** Resolves once the host listens; relays connect from then on by themselves. */
  static async start(options: HomeOptions): Promise<Home> {
    const { reachable = true } = options
    let host: ClientHost | undefined
    const dialling = new Set<string>()
    const circuits = (): number => host?.getConnections().filter(({ direct }) => !direct).length ?? 0
    host = await createClientHost({
      privateKey: await privateKeyOfSeed(options.deviceSeed),
      listen: reachable ? ['/webrtc'] : [],
      stun: options.stun,
      addressDialMs: longestAddressDialMs,
      gater: {
        denyInboundRelayedConnection: () => circuits() >= maxInboundCircuits,
        // The library looks for a relay by itself when one is lost, at addresses that may not answer, and a dial of ours would
        // be joined to that one and wait as long. Who is dialled is the supervisor's decision alone.
        denyDialMultiaddr: (address) => !dialling.has(address.toString()),
      },
    })
    await breathe()
    const home = new Home(host, options, dialling)
    await host.handle(linkProtocol, (stream, connection) => {
      // Not said with runOnLimitedConnection, so libp2p refuses it on circuits; the relay must never carry a link.
      if (connection.direct && connection.limits === undefined) options.onLinkStream(stream, connection)
      else stream.abort(new Error('links are direct'))
    })
    try {
      await home.collect(options)
    } catch (error) {
      await home.stop()
      throw error
    }
    return home
  }

  /** The mailboxes to collect are these from now on; a relay that was collected at this mailbox before notices nothing. */
  async collect({ mailboxes, left = [] }: OwnMailboxes): Promise<void> {
    const wanted = new Map([...left, ...mailboxes].map((mailbox) => [toHex(mailbox.relayKey), mailbox]))
    const before = this.#introducing
    this.#introducing = new Set(mailboxes.map(({ relayKey }) => toHex(relayKey)))
    // One that was left is asked seldom; now it is wanted again.
    for (const relay of this.#introducing) if (!before.has(relay)) this.#collected.get(relay)?.supervisor.nudge()
    const gone = [...this.#collected].filter(([relay, { mailbox }]) => {
      const next = wanted.get(relay)
      return next === undefined || !equalBytes(next.mailboxId, mailbox.mailboxId)
    })
    for (const [relay] of gone) this.#collected.delete(relay)
    await Promise.all(gone.map(([, one]) => this.#letGo(one)))
    // A relay that was left may take a circuit address as well, so there is one for each.
    await this.#listenOnCircuits(wanted.size)
    await breathe()
    for (const [relay, mailbox] of wanted) if (!this.#collected.has(relay)) this.#add(relay, mailbox)
  }

  /** Bare circuit addresses, one per relay: a fixed relay address would never be reserved again after a loss. */
  async #listenOnCircuits(count: number): Promise<void> {
    const missing = this.#options.reachable === false ? 0 : Math.max(0, count - this.#circuits)
    this.#circuits += missing
    await this.#host.services.listening.also(Array.from({ length: missing }, () => '/p2p-circuit'))
  }

  async #letGo({ mailbox, receiver, supervisor }: Collected): Promise<void> {
    await receiver.finish()
    await supervisor.stop()
    // Else the host would find it again, as a relay that could introduce us.
    await this.#host.peerStore.delete(peerIdOfKey(mailbox.relayKey))
  }

  /** Whether any own relay is connected. */
  get connected(): boolean {
    return [...this.#collected.values()].some(({ supervisor }) => supervisor.state === 'connected')
  }

  /**
   * The channel to an own relay, waiting a little if it is just being connected.
   * @throws Error when it is not an own relay, or not connected in time.
   */
  async channel({ relayKey }: RelayAddress): Promise<RelayChannel> {
    const own = this.#collected.get(toHex(relayKey))
    if (own === undefined) throw new Error('not one of the own relays')
    const { supervisor } = own
    const deadline = AbortSignal.timeout(connectedWithinMs)
    while (supervisor.channel === undefined) await this.#nextState(deadline)
    return supervisor.channel
  }

  async stop(): Promise<void> {
    const all = [...this.#collected.values()]
    await Promise.all(all.map(({ receiver }) => receiver.finish()))
    await Promise.all(all.map(({ supervisor }) => supervisor.stop()))
    await this.#host.stop()
  }

  #add(relay: string, mailbox: OwnMailbox): void {
    const { random, onEnvelopes } = this.#options
    const receiver = new MailboxReceiver({ mailbox, deliver: onEnvelopes, random })
    const supervisor = this.#supervisorOf(relay, mailbox, receiver)
    this.#collected.set(relay, { mailbox, receiver, supervisor })
    supervisor.start()
  }

  #supervisorOf(relay: string, mailbox: OwnMailbox, receiver: MailboxReceiver): RelaySupervisor {
    const { environment, random, onRelayState, reachable = true } = this.#options
    const dialler = new RelayDialler(addressDialMs, this.#dialling)
    const circuit = `/p2p/${peerIdOfKey(mailbox.relayKey).toString()}/p2p-circuit`
    return new RelaySupervisor({
      environment,
      random,
      dial: (signal) => dialler.dial(this.#host, mailbox, signal),
      setUp: (channel) => this.#setUp(channel, mailbox, receiver),
      ping: (channel) => pingMailbox(channel, mailbox.mailboxId),
      isLeft: () => !reachable || !this.#introducing.has(relay),
      isReserved: () =>
        !reachable ||
        !this.#introducing.has(relay) ||
        this.#host.getMultiaddrs().some((address) => address.toString().includes(circuit)),
      onState: (state) => {
        onRelayState(mailbox.relayKey, state)
        for (const wake of this.#waiters) wake()
      },
    })
  }

  async #setUp(channel: RelayChannel, { relayKey }: OwnMailbox, receiver: MailboxReceiver): Promise<void> {
    const { connection } = channel
    channel.handle(mailboxProtocol, {
      onPush: (payload) => pushTo(receiver, payload, channel),
      // Without its stream the subscription is gone: connect afresh rather than wait for nothing.
      onEnd: () => channel.abort('the mailbox stream ended'),
    })
    connection.addEventListener('close', () => {
      receiver.detach(channel)
      this.#options.stun.remove(connection.id)
    })
    channel.handle(prekeysProtocol, {
      onPush: () => this.#options.onPrekeysLow(relayKey),
      // The engine counts again on the next connection.
      onEnd: () => {},
    })
    const { stunPort, oldestClient } = await fetchInfo(channel)
    // Before anything is asked of it: a relay says whom it serves, and this is not one of them.
    if (!isServed(ownVersions, oldestClient)) throw new RelayOutdated()
    await receiver.attach(channel)
    if (channel.open) this.#options.stun.add(connection.id, connection.remoteAddr, stunPort)
  }

  #nextState(deadline: AbortSignal): Promise<void> {
    deadline.throwIfAborted()
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiters.delete(settle)
        deadline.removeEventListener('abort', settle)
        if (deadline.aborted) reject(deadline.reason)
        else resolve()
      }
      this.#waiters.add(settle)
      deadline.addEventListener('abort', settle)
    })
  }
}

const pushTo = (receiver: MailboxReceiver, payload: Uint8Array, channel: RelayChannel): void => {
  try {
    receiver.onPush(readPush(payload))
  } catch {
    channel.abort('an unreadable push')
  }
}
