import type { PeerPath } from '../network.ts'

/** Tells how each contact is reached, and only when that changes. */
export class Paths {
  readonly #known = new Map<string, PeerPath>()
  readonly #decide: (contactId: string) => PeerPath
  readonly #tell: (contactId: string, path: PeerPath) => void

  /** `decide` looks at links and relays as they are now; `tell` hears every change. */
  constructor(decide: (contactId: string) => PeerPath, tell: (contactId: string, path: PeerPath) => void) {
    this.#decide = decide
    this.#tell = tell
  }

  /** Something about this contact may have changed; from the first time on it is known. */
  refresh(contactId: string): void {
    const path = this.#decide(contactId)
    if (this.#known.get(contactId) === path) return
    this.#known.set(contactId, path)
    this.#tell(contactId, path)
  }

  /** Something about relays may have changed. */
  refreshAll(): void {
    for (const contactId of this.#known.keys()) this.refresh(contactId)
  }
}
