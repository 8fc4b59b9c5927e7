import { createPublicKey, verify } from 'node:crypto'
import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import { toBase64Url } from '../../protocol/wire/bytes.ts'

/** 2^255 - 19, little-endian, without the sign bit. */
const fieldPrime = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 0xed : i === 31 ? 0x7f : 0xff))

/** RFC 8032 section 5.1.3: a y-coordinate not below the prime is not a point. OpenSSL takes it modulo the prime instead. */
const isCanonical = (point: Uint8Array): boolean => {
  for (let i = 31; i >= 0; i--) {
    const byte = (point[i] ?? 0) & (i === 31 ? 0x7f : 0xff)
    const prime = fieldPrime[i] ?? 0
    if (byte !== prime) return byte < prime
  }
  return false
}

/** y-coordinates of the points of order 1, 2, 4 and 8: under such a key one signature fits many messages. */
const smallOrder: readonly string[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
]

const isSmallOrder = (point: Uint8Array): boolean => {
  const unsigned = Buffer.from(point)
  unsigned[31] = (unsigned[31] ?? 0) & 0x7f
  return smallOrder.includes(unsigned.toString('hex'))
}

const opensslVerify = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean => {
  if (!isCanonical(publicKey) || isSmallOrder(publicKey)) return false
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: toBase64Url(publicKey) }, format: 'jwk' })
    return verify(null, message, key, signature)
  } catch {
    // Not a point of the curve.
    return false
  }
}

/**
 * OpenSSL checks the equation without the cofactor, clients with it (spec/crypto.md): what it refuses, noble decides. Only
 * the owner of a key can make a signature on which the two differ, and then the relay must not judge otherwise than clients.
 */
const ed25519Verify = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean => {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  return opensslVerify(signature, message, publicKey) || noble.ed25519Verify(signature, message, publicKey)
}

/**
 * noble, with signatures verified by OpenSSL: a publication of 50 prekeys takes 6 ms instead of 60, during which nobody
 * else is served.
 */
export const nodeCrypto: CryptoProvider = { ...noble, ed25519Verify }
