import { done } from '../../protocol/relay/frame.ts'
import {
  ackParams,
  envelopesPush,
  mailboxProtocol,
  registerParams,
  subscribeParams,
  type EnvelopesPush,
  type WaitingEnvelope,
} from '../../protocol/relay/mailbox-calls.ts'
import { equalBytes } from '../../protocol/wire/bytes.ts'
import { minuteMs, secondMs } from '../../protocol/wire/limits.ts'
import { backoffMs, type Chance } from '../environment.ts'
import type { EnvelopeSource, NetworkListener, OwnMailbox, ReceivedEnvelope } from '../network.ts'
import type { RelayChannel } from './channel.ts'

/** Two batches: one being committed, one on its way. At 64 KiB each that is at most 6.4 MB in memory. */
const windowEnvelopes = 100
/** What one transaction takes without a long task. */
const batchEnvelopes = 50

/** What could not be taken (full disk, closing engine) is asked for again after a second, doubling to a minute. */
const retryBaseMs = secondMs
const retryCapMs = minuteMs

/** A page that is closed in good order waits this long for its last acknowledgements; without them it sees envelopes twice. */
const finishWithinMs = secondMs

export interface MailboxReceiverOptions extends Chance {
  readonly mailbox: OwnMailbox
  readonly deliver: NetworkListener['onEnvelopes']
}

/**
 * Collects what waits in one own mailbox, over however many connections.
 *
 * 1. Nothing is acknowledged to the relay before the engine answered `true` for it.
 * 2. One batch is with the engine at a time, at most 50 envelopes, in the mailbox's order.
 * 3. What the engine did not take stays at the relay and is asked for again, with back-off.
 * 4. What the relay did not hear an acknowledgement of is asked for again likewise: it counts as unacknowledged there, and a
 *    window full of that would stay shut for as long as the connection lives.
 * 5. At most `windowEnvelopes` are held here; a relay that sends more is disconnected.
 */
export class MailboxReceiver {
  readonly #options: MailboxReceiverOptions
  readonly #source: { readonly kind: 'mailbox'; readonly relayKey: Uint8Array }
  #channel: RelayChannel | undefined
  #queue: WaitingEnvelope[] = []
  /** Sequences with the engine. */
  #inHand = new Set<number>()
  #waiting = 0
  /** The deliveries and acknowledgements under way. */
  #delivering: Promise<void> | undefined
  readonly #acknowledging = new Set<Promise<void>>()
  #finishing = false
  #refusals = 0
  #left = false
  #retry: ReturnType<typeof setTimeout> | undefined

  constructor(options: MailboxReceiverOptions) {
    this.#options = options
    this.#source = { kind: 'mailbox', relayKey: options.mailbox.relayKey }
  }

  get mailbox(): OwnMailbox {
    return this.#options.mailbox
  }

  /** Registers and subscribes on a fresh connection. @throws as `RelayChannel.call` does. */
  async attach(channel: RelayChannel): Promise<void> {
    const { mailboxSecret } = this.#options.mailbox
    this.#finishing = false
    if (this.#channel !== undefined) this.detach(this.#channel)
    this.#channel = channel
    const params = [registerParams, { mailboxSecret }] as const
    await channel.call({ protocol: mailboxProtocol, method: 'register', params, result: done })
    await this.#subscribe(channel)
  }

  /** Forgets a connection; what is with the engine is acknowledged on the next one. */
  detach(channel: RelayChannel): void {
    if (this.#channel !== channel) return
    clearTimeout(this.#retry)
    this.#channel = undefined
    this.#queue = []
    this.#left = false
  }

  /** Takes nothing more, and waits a moment for what is with the engine and for its acknowledgements. */
  async finish(): Promise<void> {
    this.#finishing = true
    this.#queue = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, finishWithinMs)
    })
    await Promise.race([this.#idle(), tooLong])
    clearTimeout(timer)
  }

  /** A push of the mailbox service on the attached connection, if it is for this mailbox. */
  onPush(push: EnvelopesPush): void {
    if (this.#channel === undefined || this.#finishing || !equalBytes(push.mailboxId, this.#options.mailbox.mailboxId))
      return
    const known = new Set(this.#queue.map(({ sequence }) => sequence))
    for (const envelope of push.envelopes) {
      if (!known.has(envelope.sequence) && !this.#inHand.has(envelope.sequence)) this.#queue.push(envelope)
    }
    this.#waiting = push.waiting
    if (this.#queue.length > windowEnvelopes) this.#channel.abort('more envelopes than the window')
    else if (this.#queue.length > 0) this.#delivering ??= this.#deliverAll()
  }

  async #subscribe(channel: RelayChannel): Promise<void> {
    const params = [subscribeParams, { mailboxId: this.#options.mailbox.mailboxId, window: windowEnvelopes }] as const
    await channel.call({ protocol: mailboxProtocol, method: 'subscribe', params, result: done })
  }

  async #idle(): Promise<void> {
    await this.#delivering
    await Promise.all(this.#acknowledging)
  }

  async #deliverAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, batchEnvelopes)
      await this.#deliver(batch)
    }
    this.#delivering = undefined
    if (this.#left) this.#askAgain()
  }

  async #deliver(batch: readonly WaitingEnvelope[]): Promise<void> {
    this.#inHand = new Set(batch.map(({ sequence }) => sequence))
    const source: EnvelopeSource = { ...this.#source, waiting: this.#waiting + this.#queue.length }
    const envelopes: ReceivedEnvelope[] = batch.map(({ envelope, laneHash }) => ({ envelope, laneHash }))
    const answers = await this.#options.deliver(source, envelopes).catch((): boolean[] => [])
    this.#inHand = new Set()
    const taken = batch.filter((_, i) => answers[i] === true).map(({ sequence }) => sequence)
    const isWhole = taken.length === batch.length
    if (!isWhole) this.#left = true
    if (taken.length > 0) this.#acknowledge(taken, isWhole)
  }

  /** Not awaited: one that is lost with the connection only brings the envelopes once more. `isWhole`: nothing was left. */
  #acknowledge(sequences: number[], isWhole: boolean): void {
    const channel = this.#channel
    const params = [ackParams, { mailboxId: this.#options.mailbox.mailboxId, sequences }] as const
    const call = { protocol: mailboxProtocol, method: 'ack', params, result: done }
    const answered = channel?.call(call).then(
      () => {
        if (isWhole) this.#refusals = 0
      },
      () => {
        // Another connection begins with everything that is still unacknowledged.
        if (this.#channel !== channel || this.#finishing) return
        this.#left = true
        if (this.#delivering === undefined) this.#askAgain()
      },
    )
    if (answered === undefined) return
    this.#acknowledging.add(answered)
    void answered.then(() => this.#acknowledging.delete(answered))
  }

  #askAgain(): void {
    const channel = this.#channel
    if (channel === undefined) return
    this.#left = false
    this.#refusals++
    clearTimeout(this.#retry)
    this.#retry = setTimeout(
      () => {
        if (this.#channel === channel) this.#subscribe(channel).catch(() => channel.abort('could not subscribe again'))
      },
      backoffMs(this.#refusals, retryBaseMs, retryCapMs, this.#options.random),
    )
  }
}

/** Reads a push of `/sotto/mailbox/1`. @throws ProtocolError. */
export const readPush = (payload: Uint8Array): EnvelopesPush => envelopesPush.decode(payload)
