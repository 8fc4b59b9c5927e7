import type { ClientStore } from './client-store.ts'
import { leadershipTable } from './records/leadership.ts'
import { StoreError } from './store-error.ts'

/** A store whose connections can lead, one at a time. */
export interface FencedStore extends ClientStore {
  /** From here on this connection leads: writing steps of every one that led before are refused. @throws StoreError. */
  lead(): Promise<void>
  /** Gives the lead up, won or lost: from here on this connection writes as all the others do. */
  follow(): void
}

/**
 * Fencing tokens. A page that was stopped keeps whatever locks the browser gave it, and wakes up believing that it leads: so
 * the store itself counts the leaders, and each writing step of a leader checks, in its own transaction, that it is still the
 * newest. One that is not throws `superseded`, stores nothing, and calls `onSuperseded`. Connections that never led are not
 * concerned: everything they do is safe beside a leader.
 */
export const fenced = (store: ClientStore, onSuperseded: () => void): FencedStore => {
  let term: number | undefined
  return {
    read: (step) => store.read(step),
    write: async (step) => {
      const own = term
      if (own === undefined) return store.write(step)
      try {
        return await store.write(async (tx) => {
          const newest = await tx.get(leadershipTable, [0])
          if (newest?.term !== own) throw new StoreError('superseded', 'another tab leads by now')
          return step(tx)
        })
      } catch (cause) {
        if (cause instanceof StoreError && cause.code === 'superseded' && term === own) onSuperseded()
        throw cause
      }
    },
    lead: async () => {
      term = await store.write(async (tx) => {
        const next = ((await tx.get(leadershipTable, [0]))?.term ?? 0) + 1
        tx.put(leadershipTable, { term: next })
        return next
      })
    },
    follow: () => (term = undefined),
    close: () => store.close(),
    destroy: () => store.destroy(),
  }
}
