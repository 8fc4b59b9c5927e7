import { toHex } from '../../protocol/wire/bytes.ts'
import type { RelayAddress } from '../network.ts'
import { Courier, type CourierOptions } from './courier.ts'

/** One courier per relay and day. */
export class CourierPool {
  readonly #options: CourierOptions
  readonly #couriers = new Map<string, Courier>()
  readonly #retired = new Set<Courier>()

  constructor(options: CourierOptions) {
    this.#options = options
  }

  /** The courier for a relay, made at first use. */
  get(relay: RelayAddress): Courier {
    const name = toHex(relay.relayKey)
    const known = this.#couriers.get(name)
    if (known !== undefined && !known.spent) {
      known.readdress(relay)
      return known
    }
    if (known !== undefined) this.#retire(known)
    const courier = new Courier(relay, this.#options)
    this.#couriers.set(name, courier)
    return courier
  }

  /** The courier for a relay if there is one already. */
  peek(relayKey: Uint8Array): Courier | undefined {
    return this.#couriers.get(toHex(relayKey))
  }

  async stop(): Promise<void> {
    const all = [...this.#couriers.values(), ...this.#retired]
    this.#couriers.clear()
    this.#retired.clear()
    await Promise.all(all.map((courier) => courier.stop()))
  }

  #retire(courier: Courier): void {
    this.#retired.add(courier)
    courier.retire(() => this.#retired.delete(courier))
  }
}
