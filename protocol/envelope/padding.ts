import { ProtocolError } from '../wire/error.ts'

/**
 * 256 bytes: under it Padmé would show lengths almost exactly, and a short text with its headers comes close to it anyway.
 */
const smallestBucket = 256

/** Marks the end of the content (ISO/IEC 7816-4): 0x80, then zeros. */
const endMark = 0x80

/**
 * The bucket that a whole envelope of `length` bytes is padded to: Padmé (Nikitin et al., PETS 2019, section 4), never under
 * 256 bytes. At most 12 % longer, and the length tells O(log log n) bits only.
 */
export const paddedLength = (length: number): number => {
  if (length <= smallestBucket) return smallestBucket
  const exponent = Math.floor(Math.log2(length))
  const mantissaBits = Math.floor(Math.log2(exponent)) + 1
  const step = 2 ** (exponent - mantissaBits)
  return Math.ceil(length / step) * step
}

/**
 * Writes `content` and the end mark to the beginning of `room`, which is all zeros.
 * @throws ProtocolError `limit` when it does not hold both.
 */
export const padInto = (room: Uint8Array, content: Uint8Array): void => {
  if (room.length <= content.length) throw new ProtocolError('limit', 'no room for the end mark of the padding')
  room.set(content)
  room[content.length] = endMark
}

/** `content`, the end mark, and zeros up to `length` bytes, which must be more than the content has. */
export const pad = (content: Uint8Array, length: number): Uint8Array => {
  const out = new Uint8Array(length)
  padInto(out, content)
  return out
}

/** The content of `padded`, a view. Only for authenticated bytes. @throws ProtocolError `malformed` without an end mark. */
export const unpad = (padded: Uint8Array): Uint8Array => {
  let end = padded.length - 1
  while (end >= 0 && padded[end] === 0) end--
  if (end < 0 || padded[end] !== endMark) throw new ProtocolError('malformed', 'padding has no end mark')
  return padded.subarray(0, end)
}
