import { envelopesPush } from '../../protocol/relay/mailbox-calls.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import { kib } from '../../protocol/wire/limits.ts'
import type { RequestContext } from '../../signaling/stream/serve-requests.ts'
import type { RelayStore } from '../store/relay-store.ts'

/** A push stays well below a frame's 256 KiB, whatever one envelope adds. */
const pushBytes = 160 * kib
/** 100 small envelopes are about 50 KB: progress is visible, and acknowledgements come back in good time. */
const pushEnvelopes = 100

/** Who listens to which mailbox. In memory: a client subscribes again on every connection. */
export class Subscriptions {
  readonly #store: RelayStore
  readonly #onFailure: (error: unknown) => void
  readonly #byMailbox = new Map<string, Subscription>()

  constructor(store: RelayStore, onFailure: (error: unknown) => void) {
    this.#store = store
    this.#onFailure = onFailure
  }

  /** Ends an earlier subscription of the mailbox (and its stream, unless it is the same) and begins to push. */
  subscribe(mailboxId: Uint8Array, window: number, context: RequestContext): void {
    const name = toHex(mailboxId)
    this.#byMailbox.get(name)?.end(context)
    const subscription = new Subscription(this.#store, mailboxId, window, context, this.#onFailure)
    this.#byMailbox.set(name, subscription)
    context.signal.addEventListener('abort', () => {
      if (this.#byMailbox.get(name) === subscription) this.#byMailbox.delete(name)
    })
    // After the answer, which is written when this turn's promises have settled.
    setImmediate(() => subscription.pump())
  }

  /** Something new is on disk in the mailbox. */
  deposited(mailboxId: Uint8Array): void {
    this.#byMailbox.get(toHex(mailboxId))?.pump()
  }

  /** These are no longer stored. */
  acknowledged(mailboxId: Uint8Array, sequences: readonly number[]): void {
    this.#byMailbox.get(toHex(mailboxId))?.acknowledged(sequences)
  }
}

/**
 * Pushes one mailbox to one stream, oldest first.
 * 1. Never more than `window` pushed and unacknowledged.
 * 2. One push at a time, each awaited: a slow reader slows the pushes, nothing queues up.
 * 3. Only committed envelopes are read, so only committed ones are pushed.
 */
class Subscription {
  readonly #store: RelayStore
  readonly #mailboxId: Uint8Array
  readonly #window: number
  readonly #context: RequestContext
  readonly #onFailure: (error: unknown) => void
  readonly #unacknowledged = new Set<number>()
  #cursor = 0
  #pumping = false
  #ended = false

  constructor(
    store: RelayStore,
    mailboxId: Uint8Array,
    window: number,
    context: RequestContext,
    onFailure: (error: unknown) => void,
  ) {
    this.#store = store
    this.#mailboxId = mailboxId
    this.#window = window
    this.#context = context
    this.#onFailure = onFailure
  }

  /** `successor`: the stream that takes over. */
  end(successor: RequestContext): void {
    this.#ended = true
    if (successor !== this.#context) this.#context.close()
  }

  acknowledged(sequences: readonly number[]): void {
    for (const sequence of sequences) this.#unacknowledged.delete(sequence)
    this.pump()
  }

  pump(): void {
    if (this.#pumping || this.#ended) return
    void this.#pushAll()
  }

  async #pushAll(): Promise<void> {
    this.#pumping = true
    try {
      while (!this.#ended && !this.#context.signal.aborted) {
        const push = this.#next()
        if (!push) return
        await this.#context.push(push)
      }
    } catch (error) {
      // A stream that ended is the ordinary end of a subscription.
      if (!this.#context.signal.aborted) this.#onFailure(error)
    } finally {
      // In the same turn as the look that found nothing: no deposit can fall between the two.
      this.#pumping = false
    }
  }

  #next(): Uint8Array | null {
    const room = Math.min(this.#window - this.#unacknowledged.size, pushEnvelopes)
    if (room <= 0) return null
    const envelopes = this.#store.waiting(this.#mailboxId, this.#cursor, room, pushBytes)
    const last = envelopes.at(-1)
    if (!last) return null
    this.#cursor = last.sequence
    for (const { sequence } of envelopes) this.#unacknowledged.add(sequence)
    // Whatever was pushed before these is either acknowledged and gone or in the set.
    const waiting = Math.max(0, this.#store.countWaiting(this.#mailboxId) - this.#unacknowledged.size)
    return envelopesPush.encode({ mailboxId: this.#mailboxId, envelopes, waiting })
  }
}
