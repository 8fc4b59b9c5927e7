import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import type { Random } from '../../protocol/wire/brand.ts'
import type { ClientStore, WriteTransaction } from '../store/client-store.ts'
import type { EngineEvent } from './engine-api.ts'
import type { Network } from '../../signaling/network.ts'
import type { Effects } from './effects.ts'
import type { Pace } from './pace.ts'
import type { Presence } from './presence.ts'
import type { RecentReceipts } from './recent-receipts.ts'
import type { Timers } from './timers.ts'

/** Whether what is stored here is the newest copy of this profile (`continuity.ts`). */
export interface Continuity {
  readonly confirmed: boolean
  /** The tab that leads has been confirmed. */
  confirm(): void
  /** Something was encrypted: the counter is raised soon. */
  moved(): void
}

/** What every service is handed. Holds nothing of the stored state: that is read inside each transaction. */
export interface Core {
  readonly store: ClientStore
  /** May change from one call to the next, never in what it gives: see `crypto-choice.ts`. */
  readonly crypto: CryptoProvider
  readonly random: Random
  /** Unix milliseconds. */
  readonly now: () => number
  readonly pace: Pace
  readonly timers: Timers
  readonly presence: Presence
  readonly continuity: Continuity
  readonly recentReceipts: RecentReceipts
  /** Absent until the page hands one over. */
  readonly network: () => Network | undefined
  /** One writing step; its effects follow only when it is on disk. @throws StoreError, and whatever the step throws. */
  readonly commit: <T>(step: (tx: WriteTransaction, effects: Effects) => Promise<T>) => Promise<T>
  readonly emit: (event: EngineEvent) => void
  /** Something failed that nobody waits for: told to the person where it matters, never thrown. */
  readonly report: (cause: unknown) => void
}
