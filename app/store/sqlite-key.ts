import { concatBytes } from '../../protocol/wire/bytes.ts'
import type { StoredKey } from './sealing.ts'
import { StoreError } from './store-error.ts'
import type { KeyBounds } from './stored-key.ts'

/**
 * Keys as byte strings that SQLite orders as IndexedDB orders lists. A number is its mark and 8 bytes; a byte string is its
 * mark, its bytes with every 0 written as 0 255, and 0 0 at the end, so that a shorter one comes before what it begins.
 */
const numberMark = 0x10
const bytesMark = 0x20
/** Above every mark: ends a range of keys with a common beginning. */
const endMark = 0xff

/** IEEE 754, made to sort: positive numbers get their sign bit set, of negative ones every bit is turned around. */
const encodeNumber = (value: number): Uint8Array<ArrayBuffer> => {
  if (Number.isNaN(value)) throw new StoreError('failed', 'NaN is no key')
  const out = new Uint8Array(9)
  const view = new DataView(out.buffer)
  // Plus 0 makes of -0, which is equal to 0, the same bytes.
  view.setFloat64(1, value + 0)
  const negative = (view.getUint8(1) & 0x80) !== 0
  if (negative) for (let i = 1; i < 9; i++) view.setUint8(i, view.getUint8(i) ^ 0xff)
  else view.setUint8(1, view.getUint8(1) ^ 0x80)
  out[0] = numberMark
  return out
}

const decodeNumber = (bytes: Uint8Array): number => {
  const negative = ((bytes[0] ?? 0) & 0x80) === 0
  const out = bytes.map((byte, i) => (negative ? byte ^ 0xff : i === 0 ? byte ^ 0x80 : byte))
  return new DataView(out.buffer).getFloat64(0)
}

const encodeBytes = (value: Uint8Array): Uint8Array<ArrayBuffer> => {
  let zeros = 0
  for (const byte of value) if (byte === 0) zeros++
  const out = new Uint8Array(value.length + zeros + 3)
  let at = 0
  out[at++] = bytesMark
  for (const byte of value) {
    out[at++] = byte
    if (byte === 0) out[at++] = 0xff
  }
  return out
}

export const encodeKey = (key: StoredKey): Uint8Array<ArrayBuffer> =>
  concatBytes(...key.map((part) => (typeof part === 'number' ? encodeNumber(part) : encodeBytes(part))))

/** A byte string from `start`, and where what follows it begins. */
const decodeBytes = (encoded: Uint8Array, start: number): [Uint8Array<ArrayBuffer>, number] => {
  // Room for all of it; what was escaped takes less.
  const out = new Uint8Array(encoded.length - start)
  let length = 0
  for (let at = start; at < encoded.length; at++) {
    const byte = encoded[at] ?? 0
    if (byte === 0 && encoded[++at] === 0) return [out.slice(0, length), at + 1]
    out[length++] = byte
  }
  throw new StoreError('failed', 'a stored key ends too early')
}

/** @throws StoreError `failed` for bytes that `encodeKey` does not make. */
export const decodeKey = (encoded: Uint8Array): StoredKey => {
  const key: StoredKey = []
  let at = 0
  while (at < encoded.length) {
    const mark = encoded[at++]
    if (mark === numberMark && at + 8 <= encoded.length) {
      key.push(decodeNumber(encoded.slice(at, at + 8)))
      at += 8
    } else if (mark === bytesMark) {
      const [part, end] = decodeBytes(encoded, at)
      key.push(part)
      at = end
    } else throw new StoreError('failed', 'a stored key is damaged')
  }
  return key
}

/** Rows from `low` (itself only if `inclusive`) up to and without `high`. */
export interface EncodedBounds {
  readonly low: Uint8Array<ArrayBuffer>
  readonly inclusive: boolean
  readonly high: Uint8Array<ArrayBuffer>
}

export const encodeBounds = ({ prefix, after, before }: KeyBounds): EncodedBounds => ({
  low: encodeKey(after === undefined ? prefix : [...prefix, after]),
  inclusive: after === undefined,
  high: before === undefined ? Uint8Array.of(...encodeKey(prefix), endMark) : encodeKey([...prefix, before]),
})
