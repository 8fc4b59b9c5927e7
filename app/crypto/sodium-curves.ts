import type { Sodium } from 'libsodium'
import { isBelowFieldPrime, requireLength } from '../../protocol/crypto/checks.ts'
import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import { maxInputBytes, type Scratch } from './scratch.ts'

type Curves = Pick<CryptoProvider, 'x25519' | 'x25519PublicKey' | 'ed25519PublicKey' | 'ed25519Sign' | 'ed25519Verify'>

/** y of the eight points of small order on edwards25519, little-endian, without the sign of x. */
const smallOrderY: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
])

const hasSmallOrder = (point: Uint8Array): boolean => {
  const y = point.slice()
  y[31] = (y[31] as number) & 0x7f
  return smallOrderY.has(toHex(y))
}

/** X25519 and Ed25519. */
export const sodiumCurves = (sodium: Sodium, scratch: Scratch): Curves => {
  /** Public key and secret key (seed || public key, 64) of a seed. */
  const signingKeys = (seed: Uint8Array): { publicKey: number; secretKey: number } => {
    const [publicKey, secretKey] = [scratch.take(32), scratch.take(64)]
    sodium._crypto_sign_seed_keypair(publicKey, secretKey, scratch.put(seed))
    return { publicKey, secretKey }
  }

  return {
    x25519PublicKey(secret) {
      requireLength(secret, 32, 'X25519 secret')
      return scratch.use(() => {
        const output = scratch.take(32)
        sodium._crypto_scalarmult_base(output, scratch.put(secret))
        return scratch.read(output, 32)
      })
    },
    x25519(secret, publicKey) {
      requireLength(secret, 32, 'X25519 secret')
      requireLength(publicKey, 32, 'X25519 public key')
      if (!isBelowFieldPrime(publicKey)) throw new ProtocolError('key', 'X25519 public key is not canonical')
      return scratch.use(() => {
        const output = scratch.take(32)
        if (sodium._crypto_scalarmult(output, scratch.put(secret), scratch.put(publicKey)) !== 0) {
          throw new ProtocolError('key', 'X25519 public key is not acceptable')
        }
        return scratch.read(output, 32)
      })
    },

    ed25519PublicKey(seed) {
      requireLength(seed, 32, 'Ed25519 seed')
      return scratch.use(() => scratch.read(signingKeys(seed).publicKey, 32))
    },
    ed25519Sign(seed, message) {
      if (message.length > maxInputBytes) return noble.ed25519Sign(seed, message)
      requireLength(seed, 32, 'Ed25519 seed')
      return scratch.use(() => {
        const { secretKey } = signingKeys(seed)
        const signature = scratch.take(64)
        sodium._crypto_sign_detached(signature, 0, scratch.put(message), message.length, 0, secretKey)
        return scratch.read(signature, 64)
      })
    },
    ed25519Verify(signature, message, publicKey) {
      if (message.length > maxInputBytes) return noble.ed25519Verify(signature, message, publicKey)
      if (signature.length !== 64 || publicKey.length !== 32) return false
      const point = signature.subarray(0, 32)
      // libsodium checks s and the public key itself, and takes y of R as it comes: the rule is ours to keep, although nobody
      // could make such a signature.
      if (!isBelowFieldPrime(point, (point[31] as number) & 0x7f)) return false
      const isValid = scratch.use(() => {
        const [place, key] = [scratch.put(signature), scratch.put(publicKey)]
        return sodium._crypto_sign_verify_detached(place, scratch.put(message), message.length, 0, key) === 0
      })
      // libsodium refuses every R of small order, RFC 8032 does not. Nobody who signs by the rules makes one.
      return isValid || (hasSmallOrder(point) && noble.ed25519Verify(signature, message, publicKey))
    },
  }
}
