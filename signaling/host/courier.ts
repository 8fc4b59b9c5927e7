import type { Connection, Libp2p } from '@libp2p/interface'
import { dayMs, secondMs } from '../../protocol/wire/limits.ts'
import { backoffMs, type Chance } from '../environment.ts'
import { DialFailure, reasonAt, stages, type DialStage } from '../dial/dial-failure.ts'
import type { RelayAddress } from '../network.ts'
import { fetchInfo } from '../relay/calls.ts'
import { RelayChannel } from '../relay/channel.ts'
import { abortConnection, closeConnection } from '../stream/end-connection.ts'
import { StreamEnded } from '../stream/request-stream.ts'
import { createClientHost } from './client-host.ts'
import { peerIdOfKey, throwawayKey } from './peer-key.ts'
import { directAddress } from './relay-addresses.ts'
import { longestAddressDialMs, RelayDialler } from './relay-dialler.ts'
import type { StunServers } from './stun-servers.ts'

/** Covers ICE and DTLS on a mobile line with round trips of 600 ms. */
const addressDialMs = 8 * secondMs

/** A relay that could not be reached is not tried again at once by every envelope that waits. */
const retryBaseMs = 0.5 * secondMs
const retryCapMs = 4 * secondMs

/** A connection nobody used for a minute costs the relay memory and tells it nothing it should know. */
const idleMs = 60 * secondMs

export interface CourierOptions extends Chance {
  /** Unix milliseconds. Only for the courier's age in days, which also pass while the machine sleeps. */
  readonly now: () => number
  readonly stun: StunServers
  /** Whether the relay is reached may have changed. */
  readonly onChange: () => void
}

/** A host with a throwaway key for one relay: the relay learns that somebody deposits, fetches or dials, not who. */
export class Courier {
  readonly #options: CourierOptions
  readonly #createdAtMs: number
  readonly #dialler = new RelayDialler(addressDialMs)
  /** Ends what is under way at the end. */
  readonly #end = new AbortController()
  #relay: RelayAddress
  #host: Promise<Libp2p> | undefined
  #connecting: Promise<RelayChannel> | undefined
  #channel: RelayChannel | undefined
  #stunLearned: Promise<void> = Promise.resolve()
  #failures = 0
  #notBeforeMs = 0
  #idleTimer: ReturnType<typeof setTimeout> | undefined

  constructor(relay: RelayAddress, options: CourierOptions) {
    this.#relay = relay
    this.#options = options
    this.#createdAtMs = options.now()
  }

  /** Its key is a day old: what is new goes by a fresh courier, so that a relay cannot tie one day to the next. */
  get spent(): boolean {
    return Math.abs(this.#options.now() - this.#createdAtMs) >= dayMs
  }

  /** Undefined: not connected because nothing asked for it. */
  get reachable(): boolean | undefined {
    if (this.#channel?.open === true) return true
    return this.#failures > 0 ? false : undefined
  }

  /** The latest addresses of the relay. */
  readdress(relay: RelayAddress): void {
    this.#relay = relay
  }

  /**
   * Runs one idempotent call, once more on a new connection when the first turns out to have ended.
   * @throws as `RelayChannel.call` does, and when the relay cannot be reached.
   */
  async use<T>(call: (channel: RelayChannel) => Promise<T>): Promise<T> {
    const channel = await this.#connected()
    try {
      return await call(channel)
    } catch (error) {
      if (error instanceof StreamEnded) return await call(await this.#connected())
      // A relay that answers nothing within the deadline may be a dead socket; the next call finds out on a new one.
      if (error instanceof DOMException && error.name === 'TimeoutError') channel.abort('no answer')
      throw error
    } finally {
      this.#watchIdle()
    }
  }

  /** A direct WebRTC connection to a device, introduced by this relay. @throws DialFailure. */
  async dialDirect(deviceKey: Uint8Array, signal: AbortSignal): Promise<Connection> {
    let stage: DialStage = 'relay'
    try {
      return await this.#dialDirect(deviceKey, signal, (reached) => (stage = reached))
    } catch (cause) {
      throw new DialFailure(reasonAt(stage, signal.aborted), cause)
    }
  }

  async #dialDirect(
    deviceKey: Uint8Array,
    signal: AbortSignal,
    reach: (stage: DialStage) => void,
  ): Promise<Connection> {
    const channel = await this.#connected()
    reach('circuit')
    await this.#stunLearned
    signal.throwIfAborted()
    const host = await this.#started()
    const peer = peerIdOfKey(deviceKey)
    // A dead connection left over would be taken for signalling, and lead nowhere.
    for (const old of host.getConnections(peer)) abortConnection(old, 'dialled afresh')
    const address = directAddress(channel.connection.remoteAddr, this.#relay.relayKey, peer.toString())
    try {
      const connection = await host.dial(address, {
        signal,
        force: true,
        onProgress: ({ type }) => {
          const stage = stages[type]
          if (stage !== undefined) reach(stage)
        },
      })
      if (!connection.direct || connection.limits !== undefined) throw new Error('the dial gave no direct connection')
      return connection
    } finally {
      // The circuit has done its work; relays count them.
      for (const circuit of host.getConnections(peer)) {
        if (!circuit.direct) closeConnection(circuit)
      }
      this.#watchIdle()
    }
  }

  /** Our own host lost this relay: do not wait for a deadline of ours to find out. */
  suspect(): void {
    this.#channel?.abort('the relay was lost')
  }

  /** The relay is known to be back: no need to hold off. */
  encourage(): void {
    this.#failures = 0
    this.#notBeforeMs = 0
  }

  /** Stops once its last link is gone, and then says so. Whoever retires it gives it no new work. */
  retire(onStopped: () => void): void {
    clearTimeout(this.#idleTimer)
    void this.#linked().then((linked) => {
      if (linked && !this.#end.signal.aborted) this.#idleTimer = setTimeout(() => this.retire(onStopped), idleMs)
      else void this.stop().then(onStopped)
    })
  }

  async stop(): Promise<void> {
    this.#end.abort(new Error('stopped'))
    clearTimeout(this.#idleTimer)
    if (this.#host !== undefined) await (await this.#host).stop()
  }

  /** Whether anybody but the relay is connected. */
  async #linked(): Promise<boolean> {
    const host = await this.#host
    const relay = peerIdOfKey(this.#relay.relayKey)
    return host?.getConnections().some(({ remotePeer }) => !remotePeer.equals(relay)) === true
  }

  #started(): Promise<Libp2p> {
    this.#host ??= throwawayKey().then((privateKey) =>
      createClientHost({ privateKey, listen: [], stun: this.#options.stun, addressDialMs: longestAddressDialMs }),
    )
    return this.#host
  }

  #connected(): Promise<RelayChannel> {
    if (this.#channel?.open === true) return Promise.resolve(this.#channel)
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #connect(): Promise<RelayChannel> {
    this.#end.signal.throwIfAborted()
    if (performance.now() < this.#notBeforeMs) throw new Error('the relay could not be reached a moment ago')
    try {
      const host = await this.#started()
      const connection = await this.#dialler.dial(host, this.#relay, this.#end.signal)
      const channel = new RelayChannel(connection)
      this.#channel = channel
      this.#failures = 0
      this.#options.onChange()
      connection.addEventListener('close', () => this.#options.onChange())
      this.#stunLearned = this.#learnStun(channel)
      return channel
    } catch (error) {
      this.#failures++
      this.#notBeforeMs = performance.now() + backoffMs(this.#failures, retryBaseMs, retryCapMs, this.#options.random)
      this.#options.onChange()
      throw error
    }
  }

  async #learnStun(channel: RelayChannel): Promise<void> {
    const { connection } = channel
    const { stun } = this.#options
    connection.addEventListener('close', () => stun.remove(connection.id))
    try {
      const { stunPort } = await fetchInfo(channel)
      if (channel.open) stun.add(connection.id, connection.remoteAddr, stunPort)
    } catch {
      // Without STUN a link may still come about on one network; the mailbox carries everything else.
    }
  }

  #watchIdle(): void {
    clearTimeout(this.#idleTimer)
    if (this.#end.signal.aborted) return
    this.#idleTimer = setTimeout(() => {
      const channel = this.#channel
      if (channel === undefined || !channel.open) return
      if (channel.idleMs >= idleMs) closeConnection(channel.connection)
      else this.#watchIdle()
    }, idleMs)
  }
}
