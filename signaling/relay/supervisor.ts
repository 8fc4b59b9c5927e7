import type { Connection } from '@libp2p/interface'
import { hourMs, minuteMs, secondMs } from '../../protocol/wire/limits.ts'
import { backoffMs, onAwakening, type Chance, type NetworkEnvironment } from '../environment.ts'
import type { RelayState } from '../network.ts'
import { RelayRefusal } from '../stream/request-stream.ts'
import { RelayChannel } from './channel.ts'

/**
 * The first attempt after a loss comes within a second; further ones at most 4.5 s apart, so that a relay is back within 10 s
 * even when the last attempt before its return still has to run into its deadline.
 */
const retryBaseMs = 0.5 * secondMs
const retryCapMs = 3 * secondMs

/**
 * 5 min for a relay that was left, or is collected for a device that is no more: what still comes there is late anyhow, and a dead
 * one is dialled for weeks. Browsers slow every new connection down while some keep failing.
 */
const patientCapMs = 5 * minuteMs

/** A relay under load may ask for more patience, but not for more than a minute. */
const refusalCapMs = minuteMs

/** While somebody looks, a stopped relay is noticed within 10 s (interval and deadline of a call). */
const visiblePingMs = 5 * secondMs
/** In the background only the connection has to be kept through routers, whose shortest memories are about a minute. */
const hiddenPingMs = 30 * secondMs

/** A reservation takes milliseconds; without one after 10 s the connection is made anew, then after twice as long, and so on. */
const reservationBaseMs = 10 * secondMs
const reservationCapMs = 10 * minuteMs

/** A relay that serves only newer clients is asked again after an hour: its operator may think better of it. */
const outdatedRetryMs = hourMs

/** The relay does not serve clients of this version. Thrown by `setUp`. */
export class RelayOutdated extends Error {
  override readonly name = 'RelayOutdated'

  constructor() {
    super('the relay serves only newer clients')
  }
}

export interface SupervisorOptions extends Chance {
  readonly environment: NetworkEnvironment
  /** Connects by any of the relay's addresses, and gives up by itself. `signal`: nobody wants it any more. */
  readonly dial: (signal: AbortSignal) => Promise<Connection>
  /** Registers, subscribes, …; the relay counts as connected once it resolves. Called for every connection. */
  readonly setUp: (channel: RelayChannel) => Promise<void>
  /** Resolves when the relay answered; rejects past its deadline. */
  readonly ping: (channel: RelayChannel) => Promise<void>
  /** Whether the relay introduces others to us at present. */
  readonly isReserved: () => boolean
  /** Whether nobody is told any more that this relay is ours. */
  readonly isLeft: () => boolean
  readonly onState: (state: RelayState) => void
}

/**
 * Keeps one own relay connected, for as long as it runs.
 *
 * 1. At most one attempt and at most one connection at a time.
 * 2. `connected` is said only after `setUp`, and never for a connection that has closed.
 * 3. A connection whose ping fails is ended; direct links, which are connections of their own, are not touched.
 * 4. Attempts go on until `stop`, with back-off and jitter; `online` and a page becoming visible cut the waiting short,
 *    and an attempt under way just then is followed by another at once if it fails.
 * 5. A relay that serves only newer clients is asked once an hour, whatever happens.
 */
export class RelaySupervisor {
  readonly #options: SupervisorOptions
  readonly #stopped = new AbortController()
  #channel: RelayChannel | undefined
  #state: RelayState = 'connecting'
  #wake: () => void = () => {}
  #failures = 0
  /** Somebody wanted another look while an attempt was under way. */
  #wanted = false
  #outdated = false
  /** What the relay asked for with its last refusal. */
  #retryAfterMs = 0
  #reservationWaitMs = reservationBaseMs
  #running: Promise<void> = Promise.resolve()

  constructor(options: SupervisorOptions) {
    this.#options = options
  }

  /** The connected relay's channel; undefined while there is none. */
  get channel(): RelayChannel | undefined {
    return this.#channel
  }

  get state(): RelayState {
    return this.#state
  }

  start(): void {
    const end = onAwakening(this.#options.environment, () => this.nudge())
    this.#stopped.signal.addEventListener('abort', end)
    this.#options.onState(this.#state)
    this.#running = this.#run()
  }

  /** Looks after the connection now instead of at the next turn. */
  nudge(): void {
    if (this.#state === 'outdated') return
    if (this.#channel === undefined && this.#state !== 'connecting') this.#say(this.#lostState())
    this.#wanted = true
    this.#wake()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#wake()
    this.#channel?.abort('stopped')
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.#wanted = false
      const channel = await this.#connect()
      if (channel === undefined) this.#failures++
      else {
        this.#failures = 0
        await this.#watch(channel)
        this.#channel = undefined
        channel.abort('lost')
      }
      if (this.#stopped.signal.aborted) break
      this.#say(this.#outdated ? 'outdated' : this.#lostState())
      if (this.#outdated) await this.#pause(outdatedRetryMs)
      else if (channel !== undefined || !this.#wanted) await this.#pause(this.#retryMs())
    }
  }

  #retryMs(): number {
    const { isLeft, random } = this.#options
    const capMs = isLeft() ? patientCapMs : retryCapMs
    const ownMs = backoffMs(Math.max(1, this.#failures), retryBaseMs, capMs, random)
    return Math.max(ownMs, Math.min(this.#retryAfterMs, refusalCapMs))
  }

  async #connect(): Promise<RelayChannel | undefined> {
    this.#retryAfterMs = 0
    this.#outdated = false
    let channel: RelayChannel | undefined
    const onStop = (): void => channel?.abort('stopped')
    this.#stopped.signal.addEventListener('abort', onStop)
    try {
      channel = new RelayChannel(await this.#options.dial(this.#stopped.signal))
      if (this.#stopped.signal.aborted) throw new Error('stopped meanwhile')
      await this.#options.setUp(channel)
      if (!channel.open) throw new Error('closed meanwhile')
    } catch (error) {
      channel?.abort('not set up')
      this.#outdated = error instanceof RelayOutdated
      if (error instanceof RelayRefusal) this.#retryAfterMs = error.retryAfterMs ?? 0
      return undefined
    } finally {
      this.#stopped.signal.removeEventListener('abort', onStop)
    }
    this.#channel = channel
    this.#say('connected')
    return channel
  }

  /** Returns when the connection is of no use any more. */
  async #watch(channel: RelayChannel): Promise<void> {
    const onClose = (): void => this.#wake()
    channel.connection.addEventListener('close', onClose)
    const connectedAtMs = performance.now()
    try {
      while (channel.open && !this.#stopped.signal.aborted) {
        await this.#pause(
          this.#options.environment.document.visibilityState === 'visible' ? visiblePingMs : hiddenPingMs,
        )
        if (!channel.open || this.#stopped.signal.aborted) return
        await this.#options.ping(channel)
        if (this.#missesReservation(connectedAtMs)) return
      }
    } catch {
      // No sign of life within the deadline.
    } finally {
      channel.connection.removeEventListener('close', onClose)
    }
  }

  #missesReservation(connectedAtMs: number): boolean {
    if (this.#options.isReserved()) {
      this.#reservationWaitMs = reservationBaseMs
      return false
    }
    if (performance.now() - connectedAtMs < this.#reservationWaitMs) return false
    // A relay may be out of reservations for long; its mailbox must not suffer from our asking.
    this.#reservationWaitMs = Math.min(this.#reservationWaitMs * 2, reservationCapMs)
    return true
  }

  #lostState(): RelayState {
    return this.#options.environment.navigator.onLine ? 'reconnecting' : 'offline'
  }

  #say(state: RelayState): void {
    if (state === this.#state) return
    this.#state = state
    this.#options.onState(state)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), ms)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = () => {}
        resolve()
      }
    })
  }
}
