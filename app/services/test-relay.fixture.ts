import type { SignedPublicKey } from '../../protocol/identity/prekeys.ts'

/** One relay: what it was given, and whether it can be reached. */
export class TestRelay {
  readonly relayKey: Uint8Array = crypto.getRandomValues(new Uint8Array(32))
  readonly address: string
  readonly logs = new Map<string, Uint8Array>()
  readonly prekeys = new Map<string, SignedPublicKey[]>()
  /** How often an account log was asked for that is not there. */
  notFound = 0
  /** How often a device wanted to publish or count that is not in the log here, or not the one that asked. */
  notOwner = 0
  /** What publishing waits for before it is answered. */
  publishing: Promise<void> | undefined
  /** How often it was asked for an account log. */
  logsAsked = 0
  /** What it gives out instead of the account logs it has, by account (hex). */
  readonly lies = new Map<string, Uint8Array>()
  /** Down, it keeps depositors waiting this long instead of failing at once. */
  silentMs = 0
  /** It takes no account logs now. */
  full = false
  readonly #onTurn: (relay: TestRelay) => void
  #up = true

  constructor(number: number, onTurn: (relay: TestRelay) => void) {
    this.address = `/dns4/relay${number}.test/tcp/443/wss`
    this.#onTurn = onTurn
  }

  get up(): boolean {
    return this.#up
  }

  set up(up: boolean) {
    if (this.#up === up) return
    this.#up = up
    this.#onTurn(this)
  }
}
