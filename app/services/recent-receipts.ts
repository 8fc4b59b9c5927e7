import { toHex } from '../../protocol/wire/bytes.ts'
import { sinceMs } from './timers.ts'

/**
 * For which envelopes a receipt left a moment ago. In memory only: it keeps a copy that overtakes a receipt from asking for
 * another one, and after a restart one receipt too many is all that its absence costs.
 */
export interface RecentReceipts {
  note(envelopeId: Uint8Array): void
  has(envelopeId: Uint8Array): boolean
}

/** Remembers each for `keptMs`, so holds no more than what can be receipted in that time. */
export const createRecentReceipts = (now: () => number, keptMs: number): RecentReceipts => {
  /** By id (hex), when; the oldest first. */
  const left = new Map<string, number>()
  const isRecent = (atMs: number): boolean => sinceMs(now(), atMs) < keptMs
  return {
    note: (envelopeId) => {
      const name = toHex(envelopeId)
      left.delete(name)
      left.set(name, now())
      for (const [eldest, atMs] of left) {
        if (isRecent(atMs)) break
        left.delete(eldest)
      }
    },
    has: (envelopeId) => {
      const atMs = left.get(toHex(envelopeId))
      return atMs !== undefined && isRecent(atMs)
    },
  }
}
