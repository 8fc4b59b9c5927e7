import { minuteMs, secondMs } from '../../protocol/wire/limits.ts'
import { backoffMs, type Chance } from '../environment.ts'
import type { DialOutcome, NetworkFailure, NetworkResult, PeerRoute, SendPath } from '../network.ts'
import { outcomeOf } from './dial-failure.ts'
import { climb, initialLadder, type LadderEvent, type LadderState, type Rung } from './ladder.ts'
import type { Semaphore } from './semaphore.ts'

/**
 * A peer's engine commits within milliseconds; when a link has acknowledged nothing for 1.5 s the mailbox is the surer way. While
 * it does acknowledge, what was given to it later has its turn later: a copy of a whole flood by the relay would only slow it more.
 */
const acknowledgeWithinMs = 1.5 * secondMs

/** 10 s: one that others keep overtaking is not forgotten by a peer that is only busy. */
const acknowledgeAtMostMs = 10 * secondMs

/** One attempt: circuit, offer and answer, ICE, DTLS, hello. */
const dialDeadlineMs = 10 * secondMs

/** A contact whose device is away is tried after 2 s, 4 s, … and then every half minute while its conversation is shown. */
const retryBaseMs = 2 * secondMs
const retryCapMs = minuteMs / 2

/** A link that held this long was a good one: the next dial starts without a history of failures. */
const steadyMs = minuteMs

export interface DialerOptions extends Chance {
  /** Shared by all contacts: browsers allow few RTCPeerConnections, and each dial costs the relay a circuit. */
  readonly dials: Semaphore
  /** Tries one direct link; resolves when it is bound. `attempt` counts from 0 and chooses the introducing relay. */
  readonly dial: (route: PeerRoute, attempt: number, signal: AbortSignal) => Promise<void>
  /** Sends over the open link: true once acknowledged, false when refused or lost. */
  readonly transmit: (contactId: string, envelope: Uint8Array) => Promise<boolean>
  /** A link stands, or an attempt of ours has failed. */
  readonly onDial: (contactId: string, outcome: DialOutcome) => void
  /** Leaves the envelope in the contact's mailboxes. */
  readonly deposit: (route: PeerRoute, envelope: Uint8Array) => Promise<NetworkResult<null>>
}

interface Sending {
  readonly envelope: Uint8Array
  readonly resolve: (result: NetworkResult<SendPath>) => void
  failure?: NetworkFailure
  lateTimer?: ReturnType<typeof setTimeout>
}

const unreachable: NetworkFailure = {
  ok: false,
  reason: 'offline',
  message: 'neither a link nor a mailbox could be reached',
}

/** Does what the ladder decides, for one contact. */
export class Dialer {
  readonly #options: DialerOptions
  #route: PeerRoute
  #ladder: LadderState = initialLadder
  readonly #sending = new Map<number, Sending>()
  #nextId = 1
  /** Failures in a row, and attempts in all (to take the relays in turn). */
  #failures = 0
  #attempts = 0
  #dialling = false
  #upSinceMs = 0
  /** When the link last acknowledged anything. */
  #acknowledgedAtMs = 0
  #wakeTimer: ReturnType<typeof setTimeout> | undefined
  readonly #stopped = new AbortController()

  constructor(route: PeerRoute, options: DialerOptions) {
    this.#route = route
    this.#options = options
    this.route = route
  }

  get wanted(): boolean {
    return this.#ladder.wanted
  }

  get route(): PeerRoute {
    return this.#route
  }

  set route(route: PeerRoute) {
    this.#route = route
    if (this.#ladder.mayDial !== route.direct) this.#happen({ kind: 'route', mayDial: route.direct })
  }

  /** Brings one envelope over. Never rejects. */
  send(envelope: Uint8Array): Promise<NetworkResult<SendPath>> {
    if (this.#stopped.signal.aborted) return Promise.resolve(unreachable)
    const id = this.#nextId++
    return new Promise((resolve) => {
      this.#sending.set(id, { envelope, resolve })
      this.#happen({ kind: 'send', id })
    })
  }

  want(wanted: boolean): void {
    if (wanted !== this.#ladder.wanted) this.#happen({ kind: 'want', wanted })
  }

  /** A link, dialled by either side, is bound to the contact. */
  linkUp(): void {
    this.#upSinceMs = performance.now()
    this.#options.onDial(this.#route.contactId, 'linked')
    this.#happen({ kind: 'link-up' })
  }

  linkDown(): void {
    if (performance.now() - this.#upSinceMs > steadyMs) this.#failures = 0
    this.#happen({ kind: 'link-down', retryAtMs: this.#retryAtMs() })
  }

  /** The way to the outside has come back: what failed before says nothing any more. */
  encourage(): void {
    this.#failures = 0
    this.#happen({ kind: 'encouraged' })
  }

  stop(): void {
    this.#stopped.abort()
    clearTimeout(this.#wakeTimer)
    for (const { resolve, lateTimer } of this.#sending.values()) {
      clearTimeout(lateTimer)
      resolve(unreachable)
    }
    this.#sending.clear()
  }

  #happen(event: LadderEvent): void {
    if (this.#stopped.signal.aborted) return
    const { state, rungs } = climb(this.#ladder, event, performance.now())
    this.#ladder = state
    for (const rung of rungs) this.#take(rung)
  }

  #take(rung: Rung): void {
    switch (rung.kind) {
      case 'transmit':
        void this.#transmit(rung.id)
        break
      case 'deposit':
        void this.#deposit(rung.id)
        break
      case 'settle':
        this.#settle(rung.id, rung.as)
        break
      case 'dial':
        void this.#dial()
        break
      case 'wake':
        this.#wakeAt(rung.atMs)
        break
    }
  }

  async #transmit(id: number): Promise<void> {
    const sending = this.#sending.get(id)
    if (sending === undefined) return
    this.#watchLate(id, sending, performance.now(), acknowledgeWithinMs)
    const acknowledged = await this.#options.transmit(this.#route.contactId, sending.envelope)
    clearTimeout(sending.lateTimer)
    if (acknowledged) this.#acknowledgedAtMs = performance.now()
    this.#happen({ kind: acknowledged ? 'acknowledged' : 'unacknowledged', id })
  }

  /** Says that an envelope is late `delayMs` from now, unless the link turns out to be at work. */
  #watchLate(id: number, sending: Sending, sinceMs: number, delayMs: number): void {
    clearTimeout(sending.lateTimer)
    sending.lateTimer = setTimeout(() => {
      const lateAtMs = Math.max(sinceMs, this.#acknowledgedAtMs) + acknowledgeWithinMs
      const leftMs = Math.min(lateAtMs, sinceMs + acknowledgeAtMostMs) - performance.now()
      if (leftMs > 0) this.#watchLate(id, sending, sinceMs, leftMs)
      else this.#happen({ kind: 'late', id })
    }, delayMs)
  }

  async #deposit(id: number): Promise<void> {
    const sending = this.#sending.get(id)
    if (sending === undefined) return
    const result = await this.#options.deposit(this.#route, sending.envelope)
    if (!result.ok) sending.failure = result
    this.#happen({ kind: result.ok ? 'deposited' : 'deposit-failed', id })
  }

  #settle(id: number, as: 'direct' | 'deposited' | 'failed'): void {
    const sending = this.#sending.get(id)
    if (sending === undefined) return
    this.#sending.delete(id)
    clearTimeout(sending.lateTimer)
    sending.resolve(as === 'failed' ? (sending.failure ?? unreachable) : { ok: true, value: as })
  }

  async #dial(): Promise<void> {
    clearTimeout(this.#wakeTimer)
    // A dial that outlived a link from the other side is still the one under way.
    if (this.#dialling) return
    this.#dialling = true
    try {
      await this.#options.dials.run(() => {
        // The link may have come from the other side while this dial waited for its turn.
        if (this.#ladder.link === 'up' || this.#stopped.signal.aborted) return Promise.resolve()
        const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(dialDeadlineMs)])
        return this.#options.dial(this.#route, this.#attempts++, signal)
      })
      this.#dialling = false
    } catch (error) {
      this.#dialling = false
      // A link from the other side makes our own failure meaningless, and so does the end of the network.
      if (this.#ladder.link !== 'dialling' || this.#stopped.signal.aborted) return
      this.#options.onDial(this.#route.contactId, outcomeOf(error))
      this.#happen({ kind: 'dial-failed', retryAtMs: this.#retryAtMs() })
    }
  }

  #retryAtMs(): number {
    this.#failures++
    return performance.now() + backoffMs(this.#failures, retryBaseMs, retryCapMs, this.#options.random)
  }

  #wakeAt(atMs: number): void {
    clearTimeout(this.#wakeTimer)
    this.#wakeTimer = setTimeout(() => this.#happen({ kind: 'time' }), Math.max(0, atMs - performance.now()))
  }
}
