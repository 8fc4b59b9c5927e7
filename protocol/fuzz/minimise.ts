import { concatBytes } from '../wire/bytes.ts'

/** The smallest input found that still `shows` the fault: parts left out, halving their length, then bytes set to zero. At most `maxTries` looks. */
export const minimise = (input: Uint8Array, shows: (input: Uint8Array) => boolean, maxTries: number): Uint8Array => {
  let best = input
  let tries = 0
  const attempt = (candidate: Uint8Array): boolean => {
    if (++tries > maxTries || !shows(candidate)) return false
    best = candidate
    return true
  }
  for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length;) {
      const shorter = concatBytes(best.subarray(0, at), best.subarray(at + size))
      if (!attempt(shorter)) at += size
    }
  }
  for (let at = 0; at < best.length; at++) if (best[at] !== 0) attempt(best.with(at, 0))
  return best
}
