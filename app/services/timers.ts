import type { Random } from '../../protocol/wire/brand.ts'

/**
 * Milliseconds since a moment that is past. One that lies ahead counts as long ago: it was written down by a clock that has been
 * put back since, and nobody should wait until that clock has caught up.
 */
export const sinceMs = (now: number, atMs: number): number => (atMs > now ? Number.POSITIVE_INFINITY : now - atMs)

/** Milliseconds until a moment that was at most `mostMs` away when it was written down; 0 if it is further away, likewise. */
export const untilMs = (now: number, atMs: number, mostMs: number): number =>
  atMs - now > mostMs ? 0 : Math.max(0, atMs - now)

/** Timers that all end together. */
export interface Timers {
  /** Runs `task` after `delayMs` unless cancelled or closed. Returns the cancellation. */
  after(delayMs: number, task: () => void): () => void
  readonly closed: boolean
  close(): void
}

export const createTimers = (): Timers => {
  const running = new Set<ReturnType<typeof setTimeout>>()
  let closed = false
  return {
    after: (delayMs, task) => {
      if (closed) return () => undefined
      const timer = setTimeout(() => {
        running.delete(timer)
        task()
      }, delayMs)
      running.add(timer)
      return () => {
        running.delete(timer)
        clearTimeout(timer)
      }
    },
    get closed() {
      return closed
    },
    close: () => {
      closed = true
      for (const timer of running) clearTimeout(timer)
      running.clear()
    },
  }
}

/** Uniform in [0, 1). */
const fraction = (random: Random): number => {
  const bytes = random(4)
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32
}

/** Uniform between two bounds. */
export const between = (random: Random, [least, most]: readonly [number, number]): number =>
  Math.round(least + fraction(random) * (most - least))

/** Doubling back-off: `first * 2^attempt`, at most `most`. */
export const backOffWhole = (attempt: number, [first, most]: readonly [number, number]): number =>
  Math.min(most, first * 2 ** Math.min(attempt, 30))

/** Doubling back-off with jitter: between half and the whole of it. */
export const backOff = (random: Random, attempt: number, bounds: readonly [number, number]): number =>
  Math.round(backOffWhole(attempt, bounds) * (0.5 + fraction(random) / 2))
