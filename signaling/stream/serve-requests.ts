import type { Stream } from '@libp2p/interface'
import {
  maxFrameBytes,
  replyFrame,
  requestFrame,
  type ReplyFrame,
  type RequestFrame,
} from '../../protocol/relay/frame.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import { kib } from '../../protocol/wire/limits.ts'
import { FrameReader, FrameWriter, FramingError } from './framing.ts'
import { RelayRefusal } from './request-stream.ts'

/** The stream a request came on. One object per stream. */
export interface RequestContext {
  /** Aborted when the stream ends: nobody hears the answer any more. */
  readonly signal: AbortSignal
  /**
   * Sends a payload that answers no request. Resolves when the stream has taken it, so that awaiting it is back-pressure;
   * rejects when the stream ended.
   */
  push(payload: Uint8Array): Promise<void>
  /** Ends the stream once the answers under way have left. */
  close(): void
}

/**
 * Answers one call. Called in the order in which the requests arrived; whatever must keep that order is to be done before
 * the first `await`. @throws RelayRefusal to refuse; ProtocolError counts as `bad-request` (or `too-large`); anything else
 * as `internal`.
 */
export type RequestHandler = (params: Uint8Array, context: RequestContext) => Promise<Uint8Array> | Uint8Array

export interface ServeOptions {
  /** Method name to handler; the whole of the service. */
  readonly handlers: Readonly<Record<string, RequestHandler>>
  /** Called before every request, also for unreadable ones. @throws RelayRefusal to refuse it. */
  readonly admit?: (method: string, context: RequestContext) => void
  /** A handler failed with something that is not a refusal. Gets the method's name and the error, no parameters. */
  readonly onFailure?: (method: string, error: unknown) => void
  /**
   * Requests of one stream under way at once; reading pauses above.
   * @default 64: enough to fill a group commit from one stream, and 64 full deposits are 4 MiB.
   */
  readonly maxConcurrent?: number
}

/** 1 MiB of answers and pushes may wait for a slow reader before its requests are no longer read. */
const maxQueuedBytes = 1024 * kib

/**
 * Frames read but not yet begun are at most what one read brought; past this many the stream is ended, since a paused
 * reader sends no more than its window.
 */
const maxWaitingBytes = 4096 * kib

/** Serves calls on one stream until it ends. Never throws; the stream is closed or aborted at the end. */
export const serveRequests = (stream: Stream, options: ServeOptions): void => {
  new RequestServer(stream, options).start()
}

class RequestServer {
  readonly #stream: Stream
  readonly #options: ServeOptions
  readonly #writer: FrameWriter
  readonly #reader = new FrameReader(maxFrameBytes)
  readonly #ended = new AbortController()
  readonly #context: RequestContext
  readonly #maxConcurrent: number
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #running = 0
  #paused = false
  #remoteDone = false

  constructor(stream: Stream, options: ServeOptions) {
    this.#stream = stream
    this.#options = options
    this.#writer = new FrameWriter(stream)
    this.#maxConcurrent = options.maxConcurrent ?? 64
    this.#context = {
      signal: this.#ended.signal,
      push: (payload) => this.#push(payload),
      close: () => {
        this.#remoteDone = true
        this.#pump()
      },
    }
  }

  start(): void {
    this.#stream.addEventListener('message', (event) => this.#onBytes(event.data.subarray()))
    this.#stream.addEventListener('remoteCloseWrite', () => {
      this.#remoteDone = true
      this.#pump()
    })
    this.#stream.addEventListener('close', () => this.#ended.abort())
    if (this.#stream.status !== 'open') this.#ended.abort()
  }

  #onBytes(data: Uint8Array): void {
    if (this.#ended.signal.aborted) return
    try {
      for (const frame of this.#reader.push(data)) {
        this.#waiting.push(frame)
        this.#waitingBytes += frame.length
      }
    } catch (error) {
      this.#endUnreadable(error)
      return
    }
    if (this.#waitingBytes > maxWaitingBytes) this.#stream.abort(new Error('more requests than may wait'))
    else this.#pump()
  }

  /** After a frame of impossible length nothing on the stream can be read any more: say so and end it. */
  #endUnreadable(error: unknown): void {
    const message = error instanceof FramingError ? error.message : 'unreadable frame'
    const code = error instanceof FramingError && error.code === 'too-large' ? 'too-large' : 'bad-request'
    this.#remoteDone = true
    this.#send({ refusal: { code, message } }).then(
      () => this.#stream.abort(new Error(message)),
      () => {},
    )
  }

  #pump(): void {
    while (
      this.#waiting.length > 0 &&
      this.#running < this.#maxConcurrent &&
      this.#writer.queuedBytes < maxQueuedBytes
    ) {
      const frame = this.#waiting.shift()
      if (!frame || this.#ended.signal.aborted) return
      this.#waitingBytes -= frame.length
      this.#running++
      void this.#serve(frame).finally(() => {
        this.#running--
        this.#pump()
      })
    }
    this.#balance()
    if (this.#remoteDone && this.#running === 0 && this.#waiting.length === 0) void this.#close()
  }

  /** Reads only while there is room for what is read; libp2p then stops the sender through its stream window. */
  #balance(): void {
    const wanted = this.#waiting.length > 0
    if (wanted === this.#paused || this.#stream.status !== 'open') return
    if (this.#stream.readStatus !== 'readable' && this.#stream.readStatus !== 'paused') return
    this.#paused = wanted
    if (wanted) this.#stream.pause()
    else this.#stream.resume()
  }

  async #serve(frame: Uint8Array): Promise<void> {
    const request = this.#readRequest(frame)
    const reply = request ? this.#answer(request) : this.#refuseUnreadable()
    try {
      await this.#send(await reply)
    } catch {
      // The stream ended: there is nobody left to answer.
    }
  }

  #readRequest(frame: Uint8Array): RequestFrame | undefined {
    try {
      return requestFrame.decode(frame)
    } catch {
      return undefined
    }
  }

  /** Without an id, since none could be read; the stream stays usable, the next frame begins where its length said. */
  #refuseUnreadable(): ReplyFrame {
    try {
      this.#options.admit?.('', this.#context)
      return { refusal: { code: 'bad-request', message: 'this frame is not a request' } }
    } catch (error) {
      return { refusal: this.#refusalFor('', error) }
    }
  }

  async #answer({ id, method, params }: RequestFrame): Promise<ReplyFrame> {
    try {
      this.#options.admit?.(method, this.#context)
      const { handlers } = this.#options
      const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined
      if (!handler) throw new RelayRefusal('bad-request', 'this relay does not know the method')
      return { id, result: await handler(params, this.#context) }
    } catch (error) {
      return { id, refusal: this.#refusalFor(method, error) }
    }
  }

  #refusalFor(method: string, error: unknown): NonNullable<ReplyFrame['refusal']> {
    if (error instanceof RelayRefusal) {
      const { code, message, retryAfterMs } = error
      return retryAfterMs === undefined ? { code, message } : { code, message, retryAfterMs: Math.ceil(retryAfterMs) }
    }
    if (error instanceof ProtocolError) {
      return { code: error.code === 'limit' ? 'too-large' : 'bad-request', message: error.message.slice(0, 200) }
    }
    this.#options.onFailure?.(method, error)
    return { code: 'internal', message: 'the relay failed; nothing was promised' }
  }

  #push(payload: Uint8Array): Promise<void> {
    if (this.#ended.signal.aborted) return Promise.reject(new Error('the stream ended'))
    return this.#send({ push: payload }).finally(() => this.#pump())
  }

  async #send(reply: ReplyFrame): Promise<void> {
    await this.#writer.write(replyFrame.encode(reply))
  }

  async #close(): Promise<void> {
    if (this.#ended.signal.aborted) return
    try {
      await this.#stream.close({ signal: AbortSignal.timeout(5_000) })
    } catch (cause) {
      this.#stream.abort(new Error('closing took too long', { cause }))
    }
    this.#ended.abort()
  }
}
