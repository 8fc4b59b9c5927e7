import type { Stream } from '@libp2p/interface'
import { concatBytes } from '../../protocol/wire/bytes.ts'
import { kib, minuteMs } from '../../protocol/wire/limits.ts'

/**
 * Length-prefixed frames on a libp2p stream: an unsigned varint (multiformats unsigned-varint, at most five bytes) and then
 * as many bytes. Reading is bounded by the largest frame; writing waits for the stream, so that neither side can make the
 * other buffer without end.
 */

/** Why a byte stream cannot be read any further. The stream is of no use afterwards. */
export class FramingError extends Error {
  override readonly name = 'FramingError'
  readonly code: 'too-large' | 'malformed'

  constructor(code: 'too-large' | 'malformed', message: string) {
    super(message)
    this.code = code
  }
}

/** Five varint bytes carry 35 bits, more than any frame's length. */
const maxPrefixBytes = 5

/** One frame with its length before it. */
export const encodeFrame = (payload: Uint8Array): Uint8Array => {
  const prefix: number[] = []
  let rest = payload.length
  while (rest >= 0x80) {
    prefix.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  prefix.push(rest)
  const out = new Uint8Array(prefix.length + payload.length)
  out.set(prefix)
  out.set(payload, prefix.length)
  return out
}

/**
 * 64 pieces of an unfinished frame, then they are joined: a peer that sends single bytes would otherwise make each of them
 * an array of its own, with what it came in, some 100 bytes of memory for one.
 */
const maxPieces = 64

/** Cuts a byte stream into frames, however the bytes arrive. Holds at most one unfinished frame. */
export class FrameReader {
  readonly #maxFrameBytes: number
  #chunks: Uint8Array[] = []
  #buffered = 0
  /** Length of the frame being collected; -1 while its prefix is incomplete. */
  #wanted = -1

  /** `maxFrameBytes`: a longer length is refused before anything is collected. */
  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Frames completed by `chunk`, in order. @throws FramingError `too-large` or `malformed`. */
  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = []
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    if (this.#chunks.length > maxPieces) this.#join()
    for (;;) {
      if (this.#wanted < 0 && !this.#readPrefix()) return frames
      if (this.#buffered < this.#wanted) return frames
      frames.push(this.#take(this.#wanted))
      this.#wanted = -1
    }
  }

  #readPrefix(): boolean {
    if (this.#buffered === 0) return false
    const data = this.#join()
    let length = 0
    for (let i = 0; i < maxPrefixBytes; i++) {
      const byte = data[i]
      if (byte === undefined) return false
      length += (byte & 0x7f) * 2 ** (7 * i)
      if (byte >= 0x80) continue
      if (i > 0 && byte === 0) throw new FramingError('malformed', 'frame length is not at its shortest')
      if (length > this.#maxFrameBytes)
        throw new FramingError('too-large', `a frame holds at most ${this.#maxFrameBytes} bytes`)
      this.#chunks = [data.subarray(i + 1)]
      this.#buffered -= i + 1
      this.#wanted = length
      return true
    }
    throw new FramingError('malformed', `frame length is over ${maxPrefixBytes} bytes long`)
  }

  #join(): Uint8Array {
    const [first] = this.#chunks
    if (this.#chunks.length === 1 && first) return first
    const joined = concatBytes(...this.#chunks)
    this.#chunks = [joined]
    return joined
  }

  #take(length: number): Uint8Array {
    const data = this.#join()
    this.#chunks = [data.subarray(length)]
    this.#buffered -= length
    return data.slice(0, length)
  }
}

/** 64 KiB: small frames that wait together leave in one write, which saves a WebSocket message each. */
const coalesceBytes = 64 * kib

/** A reader that takes nothing for a minute is gone; waiting longer would only hold memory. */
const stallMs = minuteMs

/** Resolves when the stream takes bytes again; rejects when it closes or nothing moved for `stallMs`. */
const drained = (stream: Stream): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      clearTimeout(timer)
      stream.removeEventListener('drain', onDrain)
      stream.removeEventListener('close', onClose)
      if (error) reject(error)
      else resolve()
    }
    const onDrain = (): void => settle()
    const onClose = (): void => settle(new Error('the stream closed'))
    const timer = setTimeout(() => settle(new Error('the other side stopped reading')), stallMs)
    stream.addEventListener('drain', onDrain)
    stream.addEventListener('close', onClose)
  })

/** Writes frames in order, waiting whenever the stream is full. */
export class FrameWriter {
  readonly #stream: Stream
  #queue: { frame: Uint8Array; resolve: () => void; reject: (error: Error) => void }[] = []
  #queuedBytes = 0
  #flushing = false

  constructor(stream: Stream) {
    this.#stream = stream
  }

  /** Bytes given to `write` that the stream has not taken yet. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Resolves once the stream has taken the frame; rejects when it closes or stalls, and then aborts it. */
  write(payload: Uint8Array): Promise<void> {
    const frame = encodeFrame(payload)
    this.#queuedBytes += frame.length
    return new Promise((resolve, reject) => {
      this.#queue.push({ frame, resolve, reject })
      if (!this.#flushing) void this.#flush()
    })
  }

  async #flush(): Promise<void> {
    this.#flushing = true
    try {
      // One turn of the microtask queue, so that answers completed together travel together.
      await Promise.resolve()
      while (this.#queue.length > 0) {
        // The `drain` event and not `onDrain()`: that promise stays resolved after the first time.
        while (this.#stream.writableNeedsDrain) await drained(this.#stream)
        this.#sendSome()
      }
    } catch (cause) {
      this.#fail(cause instanceof Error ? cause : new Error('the stream failed', { cause }))
    } finally {
      this.#flushing = false
    }
  }

  #sendSome(): void {
    let bytes = 0
    let count = 0
    for (const { frame } of this.#queue) {
      if (count > 0 && bytes + frame.length > coalesceBytes) break
      bytes += frame.length
      count++
    }
    const batch = this.#queue.slice(0, count)
    this.#stream.send(concatBytes(...batch.map(({ frame }) => frame)))
    this.#queue.splice(0, count)
    this.#queuedBytes -= bytes
    for (const { resolve } of batch) resolve()
  }

  #fail(error: Error): void {
    const failed = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    this.#stream.abort(error)
    for (const { reject } of failed) reject(error)
  }
}
