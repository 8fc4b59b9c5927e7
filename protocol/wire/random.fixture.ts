import type { Random } from './brand.ts'

/** Numbers from 0 (inclusive) to 1, the same for the same seed (mulberry32). For tests only. */
export const seededNumbers = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A `Random` that gives the same bytes for the same seed. For tests only. */
export const seededRandom = (seed: number): Random => {
  const next = seededNumbers(seed)
  return (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256))
}
