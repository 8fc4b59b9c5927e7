/** A token bucket per key: `burst` at once, then one more every `everyMs`. */
export interface RateLimit {
  readonly burst: number
  readonly everyMs: number
  /** Keys remembered at most; beyond it the longest untouched are forgotten first. */
  readonly maxKeys: number
}

interface Bucket {
  tokens: number
  atMs: number
}

/** Limits calls by key. The table is bounded: buckets that are full again are swept, as they say nothing. */
export class RateLimiter {
  readonly #limit: RateLimit
  readonly #now: () => number
  readonly #buckets = new Map<string, Bucket>()

  constructor(limit: RateLimit, now: () => number) {
    this.#limit = limit
    this.#now = now
  }

  /** Number of keys remembered. */
  get size(): number {
    return this.#buckets.size
  }

  /** Milliseconds until one call of this key would be let through; 0: now. Takes nothing. */
  waitMs(key: string): number {
    const bucket = this.#buckets.get(key)
    return bucket ? this.#missingMs(this.#tokensOf(bucket)) : 0
  }

  /** Takes `cost` tokens (at most a burst) and answers 0, or takes none and says in how many milliseconds there will be so many. */
  take(key: string, cost = 1): number {
    const now = this.#now()
    const bucket = this.#buckets.get(key)
    const tokens = bucket ? this.#tokensOf(bucket) : this.#limit.burst
    const waitMs = this.#missingMs(tokens, cost)
    if (waitMs > 0) return waitMs
    // Deleted first, so that the map's order is by last use.
    this.#buckets.delete(key)
    this.#buckets.set(key, { tokens: tokens - cost, atMs: now })
    if (this.#buckets.size > this.#limit.maxKeys) this.#shrink()
    return 0
  }

  /** Forgets buckets that are full again. */
  sweep(): void {
    for (const [key, bucket] of this.#buckets) {
      if (this.#tokensOf(bucket) >= this.#limit.burst) this.#buckets.delete(key)
    }
  }

  #shrink(): void {
    this.sweep()
    for (const key of this.#buckets.keys()) {
      // A tenth at a time, so that a full table is not walked for every new key.
      if (this.#buckets.size <= this.#limit.maxKeys * 0.9) return
      this.#buckets.delete(key)
    }
  }

  #tokensOf({ tokens, atMs }: Bucket): number {
    const elapsed = Math.max(0, this.#now() - atMs)
    return Math.min(this.#limit.burst, tokens + elapsed / this.#limit.everyMs)
  }

  #missingMs(tokens: number, cost = 1): number {
    return tokens >= cost ? 0 : Math.ceil((cost - tokens) * this.#limit.everyMs)
  }
}
