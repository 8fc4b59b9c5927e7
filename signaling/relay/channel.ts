import type { Connection } from '@libp2p/interface'
import type { StructCodec } from '../../protocol/wire/codec.ts'
import { secondMs } from '../../protocol/wire/limits.ts'
import { abortConnection } from '../stream/end-connection.ts'
import { RequestStream, StreamEnded } from '../stream/request-stream.ts'

/**
 * A relay answers in milliseconds; one of which nothing at all was heard for 5 s is stopped or unreachable. One that answers
 * others has too much to do, and would have more if everybody began anew. Counted in turns of our own, so that a page that was
 * itself held up does not blame the relay.
 */
const silentTurns = 5
/** 30 s: one that answers everything but this call will not answer it any more. */
const mostTurns = 30
const turnMs = secondMs

/** A protocol with method, parameters and the shape of its answer. */
export interface Call<P, R> {
  readonly protocol: string
  readonly method: string
  readonly params: readonly [StructCodec<P>, P]
  readonly result: StructCodec<R>
}

/** A call under way: how many turns it has waited. */
interface Waiting {
  turns: number
  readonly deadline: AbortController
}

/** What a service sends unasked, and the end of its stream. Must not throw. */
export interface StreamHandlers {
  readonly onPush: (payload: Uint8Array) => void
  readonly onEnd: () => void
}

/** One connection to a relay, with one long-lived request stream per service, opened at first use. */
export class RelayChannel {
  readonly connection: Connection
  readonly #streams = new Map<string, Promise<RequestStream>>()
  readonly #handlers = new Map<string, StreamHandlers>()
  readonly #calls = new Set<Waiting>()
  /** Turns since anything was heard, while calls are under way. */
  #silence = 0
  #ticking = false
  #aborted = false
  #lastUsedMs: number

  constructor(connection: Connection) {
    this.connection = connection
    this.#lastUsedMs = performance.now()
  }

  get open(): boolean {
    return !this.#aborted && this.connection.status === 'open'
  }

  /** Milliseconds since the last call ended; 0 while one is under way. */
  get idleMs(): number {
    return this.#calls.size > 0 ? 0 : performance.now() - this.#lastUsedMs
  }

  /** For services that push; to be set before the first call. */
  handle(protocol: string, handlers: StreamHandlers): void {
    this.#handlers.set(protocol, handlers)
  }

  /**
   * One call, which waits for at most 30 s, and for 5 s of silence. Calls leave in the order of `call` once their stream is open.
   * @throws RelayRefusal, StreamEnded, ProtocolError, or an AbortError/TimeoutError.
   */
  async call<P, R>({ protocol, method, params, result }: Call<P, R>): Promise<R> {
    const waiting: Waiting = { turns: 0, deadline: new AbortController() }
    const { signal } = waiting.deadline
    if (this.#calls.size === 0) this.#silence = 0
    this.#calls.add(waiting)
    if (!this.#ticking) this.#tick()
    try {
      const stream = await this.#stream(protocol, signal)
      return await stream.call(method, params, result, signal)
    } finally {
      this.#calls.delete(waiting)
      this.#lastUsedMs = performance.now()
    }
  }

  /** Ends the connection at once, with everything on it. */
  abort(reason: string): void {
    if (this.#aborted) return
    this.#aborted = true
    abortConnection(this.connection, reason)
  }

  #tick(): void {
    this.#ticking = true
    setTimeout(() => this.#turn(), turnMs)
  }

  #turn(): void {
    this.#ticking = false
    this.#silence++
    for (const call of this.#calls) {
      call.turns++
      const isSilent = call.turns >= silentTurns && this.#silence >= silentTurns
      if (!isSilent && call.turns < mostTurns) continue
      call.deadline.abort(new DOMException('the relay did not answer', 'TimeoutError'))
    }
    if (this.#calls.size > 0) this.#tick()
  }

  #stream(protocol: string, signal: AbortSignal): Promise<RequestStream> {
    const known = this.#streams.get(protocol)
    if (known !== undefined) return known
    const forget = (): void => {
      if (this.#streams.get(protocol) === opening) this.#streams.delete(protocol)
    }
    const opening = this.#openStream(protocol, forget, signal)
    this.#streams.set(protocol, opening)
    opening.catch(forget)
    return opening
  }

  async #openStream(protocol: string, forget: () => void, signal: AbortSignal): Promise<RequestStream> {
    if (!this.open) throw new StreamEnded('the connection to the relay is closed')
    const stream = await this.connection.newStream(protocol, { signal })
    this.#silence = 0
    const handlers = this.#handlers.get(protocol)
    const onSign = (): void => void (this.#silence = 0)
    if (handlers === undefined) return new RequestStream(stream, { onSign, onEnd: forget })
    const onEnd = (): void => {
      forget()
      handlers.onEnd()
    }
    return new RequestStream(stream, { onSign, onPush: handlers.onPush, onEnd })
  }
}
