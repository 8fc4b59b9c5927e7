import type { Stream } from '@libp2p/interface'
import { replyFrame, requestFrame, maxFrameBytes, type Refusal, type RefusalCode } from '../../protocol/relay/frame.ts'
import type { StructCodec } from '../../protocol/wire/codec.ts'
import { FrameReader, FrameWriter } from './framing.ts'

/** A relay's refusal, as its handlers throw it and as its clients catch it. */
export class RelayRefusal extends Error {
  override readonly name = 'RelayRefusal'
  readonly code: RefusalCode
  /** Milliseconds after which trying again makes sense; absent when it does not. */
  readonly retryAfterMs: number | undefined

  /** `message`: at most 200 characters; names the limit, never a person or an id. */
  constructor(code: RefusalCode, message: string, retryAfterMs?: number) {
    super(message)
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

/** The stream ended before the answer: whether the call took effect is not known. */
export class StreamEnded extends Error {
  override readonly name = 'StreamEnded'
}

interface Pending {
  resolve(result: Uint8Array): void
  reject(error: unknown): void
}

export interface RequestStreamOptions {
  /** Something came, whatever it is. Must not throw. */
  readonly onSign?: () => void
  /** Payload of a push that belongs to no request, in order of arrival. Must not throw. */
  readonly onPush?: (payload: Uint8Array) => void
  /** Called once, when no further call can succeed. */
  readonly onEnd?: (error: StreamEnded) => void
  /** @default 256 KiB, the limit of `/sotto/<service>/1`. */
  readonly maxFrameBytes?: number
}

/**
 * Calls over one long-lived stream, pipelined: any number may be under way, each finds its answer by id, and the relay sees
 * them in the order in which `call` was called.
 */
export class RequestStream {
  readonly #stream: Stream
  readonly #writer: FrameWriter
  readonly #reader: FrameReader
  readonly #options: RequestStreamOptions
  readonly #pending = new Map<number, Pending>()
  #nextId = 1
  #ended: StreamEnded | undefined

  constructor(stream: Stream, options: RequestStreamOptions = {}) {
    this.#stream = stream
    this.#options = options
    this.#writer = new FrameWriter(stream)
    this.#reader = new FrameReader(options.maxFrameBytes ?? maxFrameBytes)
    stream.addEventListener('message', (event) => this.#onBytes(event.data.subarray()))
    stream.addEventListener('remoteCloseWrite', () => this.#end('the relay closed the stream'))
    stream.addEventListener('close', () => this.#end('the stream closed'))
    if (stream.status !== 'open') this.#end('the stream is not open')
  }

  /** False once no further call can succeed. */
  get open(): boolean {
    return this.#ended === undefined
  }

  /**
   * Sends one request and waits for its answer.
   * @param signal deadline; required, since nothing waits for ever. Its reason is thrown. The relay may still carry the call out.
   * @throws RelayRefusal when the relay says no; StreamEnded; ProtocolError when `params` or the answer are malformed.
   */
  async call<P, R>(
    method: string,
    [paramsCodec, params]: readonly [StructCodec<P>, P],
    resultCodec: StructCodec<R>,
    signal: AbortSignal,
  ): Promise<R> {
    const result = await this.#request(method, paramsCodec.encode(params), signal)
    return resultCodec.decode(result)
  }

  /** Ends the stream; calls still under way throw StreamEnded. */
  async close(): Promise<void> {
    this.#end('closed by this side')
    try {
      await this.#stream.close({ signal: AbortSignal.timeout(1_000) })
    } catch (cause) {
      this.#stream.abort(new Error('closing took too long', { cause }))
    }
  }

  #request(method: string, params: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    if (this.#ended) return Promise.reject(this.#ended)
    if (signal.aborted) return Promise.reject(signal.reason)
    const id = this.#nextId
    this.#nextId = id === 0xffff_ffff ? 1 : id + 1
    const frame = requestFrame.encode({ id, method, params })
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#pending.delete(id)
        signal.removeEventListener('abort', onAbort)
      }
      const onAbort = (): void => {
        settle()
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort)
      this.#pending.set(id, {
        resolve: (result) => {
          settle()
          resolve(result)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      })
      this.#writer.write(frame).catch(() => this.#end('the stream could not be written'))
    })
  }

  #onBytes(data: Uint8Array): void {
    if (this.#ended) return
    this.#options.onSign?.()
    try {
      for (const frame of this.#reader.push(data)) this.#onFrame(frame)
    } catch (cause) {
      this.#end('the relay sent what is not a reply', cause)
      this.#stream.abort(new Error('unreadable reply'))
    }
  }

  #onFrame(frame: Uint8Array): void {
    const { id, result, refusal, push } = replyFrame.decode(frame)
    if (push !== undefined) {
      this.#options.onPush?.(push)
      return
    }
    if (id === undefined) {
      if (refusal) this.#end(`the relay could not read a request: ${refusal.message}`)
      return
    }
    // An id that is not pending belongs to a call whose deadline has passed.
    const pending = this.#pending.get(id)
    if (result !== undefined) pending?.resolve(result)
    else if (refusal) pending?.reject(asRefusal(refusal))
  }

  #end(message: string, cause?: unknown): void {
    if (this.#ended) return
    this.#ended = new StreamEnded(message, { cause })
    for (const { reject } of this.#pending.values()) reject(this.#ended)
    this.#options.onEnd?.(this.#ended)
  }
}

const asRefusal = ({ code, message, retryAfterMs }: Refusal): RelayRefusal =>
  new RelayRefusal(code, message, retryAfterMs)
