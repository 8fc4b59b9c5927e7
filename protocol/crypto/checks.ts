import { ProtocolError } from '../wire/error.ts'

/** What no library checks as `provider.ts` asks for it; every provider calls these. */

/** @throws ProtocolError `key` unless `value` is a byte string of `length` bytes. */
export const requireLength = (value: Uint8Array, length: number, name: string): void => {
  if (!(value instanceof Uint8Array) || value.length !== length) {
    throw new ProtocolError('key', `${name} must have ${length} bytes`)
  }
}

/**
 * Whether a little-endian number of 32 bytes is below 2^255 - 19: no bit 255, and not one of the nineteen values at the top.
 * @param top the last byte as it counts; an Ed25519 point keeps the sign of its x in bit 7 of it.
 */
export const isBelowFieldPrime = (number: Uint8Array, top = number[31] as number): boolean => {
  if (top !== 0x7f) return top < 0x7f
  for (let i = 30; i > 0; i--) if (number[i] !== 0xff) return true
  return (number[0] as number) < 0xed
}
