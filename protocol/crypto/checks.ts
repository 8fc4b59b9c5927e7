import { ProtocolError } from '../wire/error.ts'
import { mlkem768EncapsulationKeyBytes } from './provider.ts'

/** Checks of public values: what no library does as `provider.ts` asks for it, or not without more work than the check. */

/** @throws ProtocolError `key` unless `value` is a byte string of `length` bytes. */
export const requireLength = (value: Uint8Array, length: number, name: string): void => {
  if (!(value instanceof Uint8Array) || value.length !== length) {
    throw new ProtocolError('key', `${name} must have ${length} bytes`)
  }
}

/** Whether a little-endian number of 32 bytes is below 2^255 - 19: no bit 255, and not one of the nineteen values at the top. */
export const isBelowFieldPrime = (number: Uint8Array): boolean => {
  const top = number[31] as number
  if (top !== 0x7f) return top < 0x7f
  for (let i = 30; i > 0; i--) if (number[i] !== 0xff) return true
  return (number[0] as number) < 0xed
}

/** q of ML-KEM. */
const modulus = 3_329

/** The modulus check of an ML-KEM-768 encapsulation key (FIPS 203 section 7.2): its length, and 768 coefficients below q. */
export const passesModulusCheck = (encapsulationKey: Uint8Array): boolean => {
  if (encapsulationKey.length !== mlkem768EncapsulationKeyBytes) return false
  // Two coefficients of 12 bits in three bytes, little-endian; the last 32 bytes are a seed.
  for (let i = 0; i < mlkem768EncapsulationKeyBytes - 32; i += 3) {
    const middle = encapsulationKey[i + 1] as number
    const first = (encapsulationKey[i] as number) | ((middle & 0x0f) << 8)
    const second = (middle >> 4) | ((encapsulationKey[i + 2] as number) << 4)
    if (first >= modulus || second >= modulus) return false
  }
  return true
}
