import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import type { Random } from '../../protocol/wire/brand.ts'
import type { Network } from '../../signaling/network.ts'
import type { ClientStore, WriteTransaction } from '../store/client-store.ts'
import { StoreError } from '../store/store-error.ts'
import type { Continuity, Core } from './core.ts'
import { note } from './diagnostics.ts'
import { createEffects, type Effects } from './effects.ts'
import type { EngineEvent } from './engine-api.ts'
import { defaultPace, type Pace } from './pace.ts'
import type { PeerChannel } from './peers.ts'
import type { Presence } from './presence.ts'
import { problemOf } from './problems.ts'
import { createRecentReceipts } from './recent-receipts.ts'
import { createTimers } from './timers.ts'

export interface RunningOptions {
  readonly store: ClientStore
  readonly emit: (event: EngineEvent) => void
  /** Unix milliseconds. */
  readonly now: () => number
  readonly random: Random
  /** The provider that computes now. */
  readonly crypto: () => CryptoProvider
  /** @default defaultPace */
  readonly pace?: Partial<Pace>
  /** Reaches the engines of other tabs on the same database. @default none */
  readonly peers?: PeerChannel
}

interface Surroundings {
  readonly store: ClientStore
  readonly presence: Presence
  readonly continuity: Continuity
  readonly network: () => Network | undefined
  /** A step was committed. */
  readonly after: (effects: Effects) => void
  readonly emit: (event: EngineEvent) => void
}

/** What each service gets to see; effects of a commit go out from here, in one place. */
export const createCore = (options: RunningOptions, surroundings: Surroundings): Core => {
  const { now, random, crypto } = options
  const { store, presence, continuity, network, after, emit } = surroundings
  const timers = createTimers()
  const pace = { ...defaultPace, ...options.pace }
  const core: Core = {
    store,
    get crypto() {
      return crypto()
    },
    random,
    now,
    timers,
    network,
    emit,
    pace,
    presence,
    continuity,
    recentReceipts: createRecentReceipts(now, pace.receiptRenewMs),
    commit: async <T>(step: (tx: WriteTransaction, effects: Effects) => Promise<T>): Promise<T> => {
      const effects = createEffects()
      const result = await store.write((tx) => step(tx, effects))
      after(effects)
      return result
    },
    report: (cause) => {
      // Whoever leads now does what this engine wanted to do.
      const expected = cause instanceof StoreError && (cause.code === 'closed' || cause.code === 'superseded')
      if (timers.closed || expected) return
      if (cause instanceof StoreError) options.emit({ kind: 'problem', problem: problemOf(cause) })
      const [code, detail] =
        cause instanceof StoreError ? [cause.code, cause.message] : ['bug', 'a step failed unexpectedly']
      void note(core, 'storage', code, detail)
    },
  }
  return core
}
