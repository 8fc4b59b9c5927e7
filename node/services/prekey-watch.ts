import { prekeysLowPush } from '../../protocol/relay/prekey-calls.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import { oneTimePrekeysLow } from '../../protocol/wire/limits.ts'
import type { RequestContext } from '../../signaling/stream/serve-requests.ts'
import type { PrekeyCount } from '../store/relay-store.ts'

interface Watcher {
  readonly context: RequestContext
  /** It knows that they run low: from the answer to its call, or from a notice. */
  told: boolean
}

const isLow = ({ oneTime, oneTimeKem }: PrekeyCount): boolean =>
  oneTime < oneTimePrekeysLow || oneTimeKem < oneTimePrekeysLow

const nameOf = (accountId: Uint8Array, deviceId: Uint8Array): string => `${toHex(accountId)} ${toHex(deviceId)}`

/**
 * Tells a device when its one-time prekeys run low, on the stream it last published or counted on: once, until it has asked
 * or published again. In memory: a device counts on every connection.
 */
export class PrekeyWatch {
  readonly #watchers = new Map<string, Watcher>()

  /** The owner is being told how many are left, on this stream. */
  answered(accountId: Uint8Array, deviceId: Uint8Array, left: PrekeyCount, context: RequestContext): void {
    const name = nameOf(accountId, deviceId)
    const known = this.#watchers.get(name)
    // One listener per stream, however often it asks.
    if (known?.context === context) {
      known.told = isLow(left)
      return
    }
    const watcher: Watcher = { context, told: isLow(left) }
    this.#watchers.set(name, watcher)
    context.signal.addEventListener('abort', () => {
      if (this.#watchers.get(name) === watcher) this.#watchers.delete(name)
    })
  }

  /** Somebody was given a bundle of the device. `count` is asked only if the owner listens. */
  taken(accountId: Uint8Array, deviceId: Uint8Array, count: () => PrekeyCount): void {
    const watcher = this.#watchers.get(nameOf(accountId, deviceId))
    if (!watcher || watcher.told) return
    const left = count()
    if (!isLow(left)) return
    watcher.told = true
    // A stream that ended meanwhile: the owner counts when it is back.
    watcher.context.push(prekeysLowPush.encode({ accountId, deviceId, left })).catch(() => {})
  }
}
