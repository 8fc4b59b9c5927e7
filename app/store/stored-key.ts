import type { Range } from './client-store.ts'
import type { StoredKey } from './sealing.ts'

/** Keys between two bounds; `prefix` alone stands for everything that starts with it. */
export interface KeyBounds {
  readonly prefix: StoredKey
  /** Exclusive: only keys after `[...prefix, after]`. */
  readonly after?: number
  /** Exclusive: only keys before `[...prefix, before]`. */
  readonly before?: number
}

const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** By comparing, since the difference of two infinities is no number. */
const compareNumbers = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)

const compareParts = (a: StoredKey[number], b: StoredKey[number]): number => {
  if (typeof a === 'number') return typeof b === 'number' ? compareNumbers(a, b) : -1
  return typeof b === 'number' ? 1 : compareBytes(a, b)
}

/** The order of keys in every store, which is IndexedDB's: numbers by value, then byte strings; a key after its beginnings. */
export const compareKeys = (a: StoredKey, b: StoredKey): number => {
  for (const [i, part] of a.entries()) {
    const other = b[i]
    if (other === undefined) return 1
    const difference = compareParts(part, other)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Undefined: nothing can lie between them. */
export const boundsOf = (prefix: StoredKey, { after, before }: Range): KeyBounds | undefined =>
  after !== undefined && before !== undefined && after >= before
    ? undefined
    : { prefix, ...(after === undefined ? {} : { after }), ...(before === undefined ? {} : { before }) }

const startsWith = (key: StoredKey, prefix: StoredKey): boolean =>
  key.length >= prefix.length && compareKeys(key.slice(0, prefix.length), prefix) === 0

/** Whether a key lies between the bounds. */
export const isWithin = (key: StoredKey, { prefix, after, before }: KeyBounds): boolean =>
  startsWith(key, prefix) &&
  (after === undefined || compareKeys(key, [...prefix, after]) > 0) &&
  (before === undefined || compareKeys(key, [...prefix, before]) < 0)
