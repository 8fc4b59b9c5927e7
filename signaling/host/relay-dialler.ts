import type { Connection, Libp2p } from '@libp2p/interface'
import { secondMs } from '../../protocol/wire/limits.ts'
import type { RelayAddress } from '../network.ts'
import { relayMultiaddrs } from './relay-addresses.ts'

/**
 * 20 s for one address: a handshake gets through in that on a device or relay that drowns in work; and what a network lost
 * meanwhile TCP sends again at most 8 s apart until then, so an attempt under way finds a relay that is back within 10 s.
 */
export const longestAddressDialMs = 20 * secondMs

/**
 * Dials one relay by its addresses, one after the other. An attempt that ran out of time has twice as long the next time: when
 * everybody comes back to a relay at once, or this device has much to do, handshakes take longer than they should, and giving
 * them up halfway to begin anew would keep it so. That is for WebSockets: where nobody listens TCP says so at once. WebRTC says
 * nothing, and a longer wait would only keep from trying the other addresses.
 */
export class RelayDialler {
  readonly #firstMs: number
  readonly #underWay: Set<string>
  #addressMs: number

  /**
   * `addressMs`: what each address has at first, and again once the relay was reached. `underWay`: holds the addresses (multiaddrs)
   * while they are dialled.
   */
  constructor(addressMs: number, underWay = new Set<string>()) {
    this.#firstMs = addressMs
    this.#underWay = underWay
    this.#addressMs = addressMs
  }

  /** @throws what the last address was given up with, or the signal's reason. */
  async dial(host: Pick<Libp2p, 'dial'>, relay: RelayAddress, signal: AbortSignal): Promise<Connection> {
    let failure: unknown = new Error('the relay has no address that can be dialled')
    let ranOut = false
    for (const address of relayMultiaddrs(relay)) {
      const answers = !address.toString().includes('/webrtc-direct')
      const deadline = new AbortController()
      const tooLong = (): void => deadline.abort(new Error('the relay took too long'))
      const timer = setTimeout(tooLong, answers ? this.#addressMs : this.#firstMs)
      this.#underWay.add(address.toString())
      try {
        const connection = await host.dial(address, { signal: AbortSignal.any([signal, deadline.signal]) })
        this.#addressMs = this.#firstMs
        return connection
      } catch (cause) {
        signal.throwIfAborted()
        failure = cause
        ranOut ||= answers && deadline.signal.aborted
      } finally {
        clearTimeout(timer)
        this.#underWay.delete(address.toString())
      }
    }
    if (ranOut) this.#addressMs = Math.min(2 * this.#addressMs, longestAddressDialMs)
    throw failure
  }
}
