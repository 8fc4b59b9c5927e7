import type { Connection } from '@libp2p/interface'
import type { StructCodec } from '../../protocol/wire/codec.ts'
import { secondMs } from '../../protocol/wire/limits.ts'
import { abortConnection } from '../stream/end-connection.ts'
import { RequestStream, StreamEnded } from '../stream/request-stream.ts'

/** A relay answers in milliseconds; one that takes longer than 5 s is stopped, unreachable or drowning. */
const callDeadlineMs = 5 * secondMs

/** A protocol with method, parameters and the shape of its answer. */
export interface Call<P, R> {
  readonly protocol: string
  readonly method: string
  readonly params: readonly [StructCodec<P>, P]
  readonly result: StructCodec<R>
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
  #callsUnderWay = 0
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
    return this.#callsUnderWay > 0 ? 0 : performance.now() - this.#lastUsedMs
  }

  /** For services that push; to be set before the first call. */
  handle(protocol: string, handlers: StreamHandlers): void {
    this.#handlers.set(protocol, handlers)
  }

  /**
   * One call with its deadline. Calls leave in the order of `call` once their stream is open.
   * @throws RelayRefusal, StreamEnded, ProtocolError, or an AbortError/TimeoutError.
   */
  async call<P, R>({ protocol, method, params, result }: Call<P, R>, deadlineMs = callDeadlineMs): Promise<R> {
    const signal = AbortSignal.timeout(deadlineMs)
    this.#callsUnderWay++
    try {
      const stream = await this.#stream(protocol, signal)
      return await stream.call(method, params, result, signal)
    } finally {
      this.#callsUnderWay--
      this.#lastUsedMs = performance.now()
    }
  }

  /** Ends the connection at once, with everything on it. */
  abort(reason: string): void {
    if (this.#aborted) return
    this.#aborted = true
    abortConnection(this.connection, reason)
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
    const handlers = this.#handlers.get(protocol)
    if (handlers === undefined) return new RequestStream(stream, { onEnd: forget })
    const onEnd = (): void => {
      forget()
      handlers.onEnd()
    }
    return new RequestStream(stream, { onPush: handlers.onPush, onEnd })
  }
}
