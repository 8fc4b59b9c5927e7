import type { Connection, Stream } from '@libp2p/interface'
import { secondMs } from '../../protocol/wire/limits.ts'
import { closeConnection } from './end-connection.ts'
import { FrameReader, FrameWriter } from './framing.ts'
import {
  decodeLinkFrame,
  encodeLinkFrame,
  linkWindowBytes,
  linkWindowEnvelopes,
  maxLinkFrameBytes,
  type LinkFrame,
} from './link-frame.ts'

/** While it matters (a conversation on screen, an envelope under way) a silent link is asked after 1.5 s … */
const attentivePingMs = 1.5 * secondMs
/** … and otherwise seldom: the next envelope finds out by its own deadline. */
const idlePingMs = 20 * secondMs
/**
 * A peer whose page lives answers a ping at once; 4 s leave room for one that is busy. Counted in turns of our own, so that a
 * page that was itself held up does not blame the peer: a dead link is noticed within 5.5 s.
 */
const pongTurns = 4
const pongTurnMs = secondMs

/** A peer that answers pings but settles none of its envelopes for 10 s holds the window for nothing. */
const stallMs = 10 * secondMs

/** Envelopes handed over at a time: what one transaction takes. */
const batchEnvelopes = 50

export interface LinkHandlers {
  /** A sealed signal arrived. Must not throw. */
  readonly onSignal: (signal: Uint8Array) => void
  /** At most 50 envelopes, never again before it settled; `true` for those to acknowledge. Rejecting means none. */
  readonly onEnvelopes: (envelopes: readonly Uint8Array[]) => Promise<boolean[]>
  /** Called once, when the link is of no use any more. */
  readonly onEnd: () => void
}

interface Outgoing {
  readonly envelope: Uint8Array
  readonly acknowledged: (yes: boolean) => void
}

/**
 * One link: `/sotto/link/1` over one stream, both directions.
 *
 * 1. An envelope is acknowledged only after `onEnvelopes` answered true for it.
 * 2. At most 64 envelopes and 1 MiB are under way unacknowledged; a peer that exceeds this is cut off.
 * 3. Numbers ascend by one per direction; anything else ends the link.
 * 4. A link on which nothing came within the ping's deadline is ended, however open the connection looks.
 * 5. Every envelope given to `send` is reported exactly once: acknowledged or not. After the end none is under way.
 */
export class LinkStream {
  readonly #stream: Stream
  readonly #connection: Connection
  readonly #handlers: LinkHandlers
  readonly #writer: FrameWriter
  readonly #reader = new FrameReader(maxLinkFrameBytes)
  /** Sent, by number. */
  readonly #underWay = new Map<number, Outgoing>()
  #underWayBytes = 0
  /** Waiting for room in the window. */
  #outbox: Outgoing[] = []
  #nextNumber = 1
  #inbox: { number: number; envelope: Uint8Array }[] = []
  /** Received and neither acknowledged nor refused. */
  #held = 0
  #heldBytes = 0
  #lastReceived = 0
  #delivering = false
  #attentive = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #stallTimer: ReturnType<typeof setTimeout> | undefined
  #awaitingPong = false
  #ended = false

  constructor(stream: Stream, connection: Connection, handlers: LinkHandlers) {
    this.#stream = stream
    this.#connection = connection
    this.#handlers = handlers
    this.#writer = new FrameWriter(stream)
    stream.addEventListener('message', (event) => this.#onBytes(event.data.subarray()))
    stream.addEventListener('remoteCloseWrite', () => this.end())
    stream.addEventListener('close', () => this.end())
    connection.addEventListener('close', () => this.end())
    this.#schedulePing()
    if (stream.status !== 'open') queueMicrotask(() => this.end())
  }

  get open(): boolean {
    return !this.#ended
  }

  /** Envelopes given to `send` and not settled. */
  get busy(): boolean {
    return this.#underWay.size > 0 || this.#outbox.length > 0
  }

  /** Whether somebody cares how the link is right now. */
  set attentive(attentive: boolean) {
    if (attentive === this.#attentive) return
    this.#attentive = attentive
    if (!this.#awaitingPong) this.#schedulePing()
  }

  /** Sends a sealed signal; lost with the link. */
  signal(signal: Uint8Array): void {
    this.#write({ signal })
  }

  /** True once the peer acknowledged the envelope; false when it refused or the link ended before. Order is kept. */
  send(envelope: Uint8Array): Promise<boolean> {
    if (this.#ended) return Promise.resolve(false)
    const wasIdle = !this.busy
    return new Promise((acknowledged) => {
      this.#outbox.push({ envelope, acknowledged })
      this.#fillWindow()
      if (!wasIdle) return
      this.#watchStall()
      if (!this.#awaitingPong) this.#schedulePing()
    })
  }

  /** Says bye and ends the link. */
  async close(): Promise<void> {
    if (this.#ended) return
    try {
      await this.#writer.write(encodeLinkFrame({ bye: true }))
      await this.#stream.close({ signal: AbortSignal.timeout(0.5 * secondMs) })
    } catch {
      // It is over either way.
    }
    this.end()
  }

  /** Ends the link and its connection at once. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#timer)
    clearTimeout(this.#stallTimer)
    const lost = [...this.#underWay.values(), ...this.#outbox]
    this.#underWay.clear()
    this.#outbox = []
    this.#inbox = []
    for (const { acknowledged } of lost) acknowledged(false)
    // The connection carries nothing but this link.
    closeConnection(this.#connection)
    this.#handlers.onEnd()
  }

  #fillWindow(): void {
    while (this.#underWay.size < linkWindowEnvelopes) {
      const next = this.#outbox[0]
      if (next === undefined || this.#underWayBytes + next.envelope.length > linkWindowBytes) return
      this.#outbox.shift()
      const number = this.#nextNumber++
      this.#underWay.set(number, next)
      this.#underWayBytes += next.envelope.length
      this.#write({ envelope: { number, envelope: next.envelope } })
    }
  }

  #write(frame: LinkFrame): void {
    if (!this.#ended) this.#writer.write(encodeLinkFrame(frame)).catch(() => this.end())
  }

  #onBytes(data: Uint8Array): void {
    if (this.#ended) return
    this.#awaitingPong = false
    this.#schedulePing()
    try {
      for (const frame of this.#reader.push(data)) this.#onFrame(decodeLinkFrame(frame))
    } catch {
      this.end()
    }
  }

  #onFrame(frame: LinkFrame): void {
    if (this.#ended) return
    if (frame.signal !== undefined) this.#handlers.onSignal(frame.signal)
    else if (frame.envelope !== undefined) this.#onEnvelope(frame.envelope)
    else if (frame.ack !== undefined) this.#settle(frame.ack, true)
    else if (frame.refuse !== undefined) this.#settle(frame.refuse, false)
    else if (frame.ping !== undefined) this.#write({ pong: true })
    else if (frame.bye !== undefined) this.end()
  }

  #onEnvelope(received: { number: number; envelope: Uint8Array }): void {
    this.#held++
    this.#heldBytes += received.envelope.length
    const inOrder = received.number === this.#lastReceived + 1
    if (!inOrder || this.#held > linkWindowEnvelopes || this.#heldBytes > linkWindowBytes) {
      this.end()
      return
    }
    this.#lastReceived = received.number
    this.#inbox.push(received)
    if (!this.#delivering) void this.#deliverAll()
  }

  async #deliverAll(): Promise<void> {
    this.#delivering = true
    // What came in one piece is handed over in one piece.
    await Promise.resolve()
    while (this.#inbox.length > 0) {
      const batch = this.#inbox.splice(0, batchEnvelopes)
      const answers = await this.#handlers.onEnvelopes(batch.map(({ envelope }) => envelope)).catch((): boolean[] => [])
      this.#held -= batch.length
      for (const { envelope } of batch) this.#heldBytes -= envelope.length
      const numbersOf = (wanted: boolean): number[] =>
        batch.filter((_, i) => (answers[i] === true) === wanted).map(({ number }) => number)
      const [ack, refuse] = [numbersOf(true), numbersOf(false)]
      if (ack.length > 0) this.#write({ ack })
      if (refuse.length > 0) this.#write({ refuse })
    }
    this.#delivering = false
  }

  #settle(numbers: readonly number[], acknowledged: boolean): void {
    for (const number of numbers) {
      const outgoing = this.#underWay.get(number)
      if (outgoing === undefined) continue
      this.#underWay.delete(number)
      this.#underWayBytes -= outgoing.envelope.length
      outgoing.acknowledged(acknowledged)
    }
    this.#fillWindow()
    this.#watchStall()
  }

  #watchStall(): void {
    clearTimeout(this.#stallTimer)
    if (this.busy && !this.#ended) this.#stallTimer = setTimeout(() => this.end(), stallMs)
  }

  /** One timer: first until the ping, then until its answer. */
  #schedulePing(): void {
    clearTimeout(this.#timer)
    if (this.#ended) return
    this.#timer = setTimeout(() => this.#ping(), this.#attentive || this.busy ? attentivePingMs : idlePingMs)
  }

  #ping(): void {
    this.#awaitingPong = true
    this.#write({ ping: true })
    this.#awaitPong(pongTurns)
  }

  #awaitPong(turns: number): void {
    if (turns === 0) this.end()
    else this.#timer = setTimeout(() => this.#awaitPong(turns - 1), pongTurnMs)
  }
}
