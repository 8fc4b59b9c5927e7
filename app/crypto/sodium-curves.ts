import type { Sodium } from 'libsodium'
import { isBelowFieldPrime, requireLength } from '../../protocol/crypto/checks.ts'
import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import { maxInputBytes, type Scratch } from './scratch.ts'

type Curves = Pick<CryptoProvider, 'x25519' | 'x25519PublicKey' | 'ed25519PublicKey' | 'ed25519Sign' | 'ed25519Verify'>

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
      const isValid = scratch.use(() => {
        const [place, key] = [scratch.put(signature), scratch.put(publicKey)]
        return sodium._crypto_sign_verify_detached(place, scratch.put(message), message.length, 0, key) === 0
      })
      // libsodium's equation is the one without the cofactor, over the bytes of R as they are: what satisfies it satisfies ours.
      // It refuses more than that (R of small order, parts of small order), so noble has the last word on every no.
      return isValid || noble.ed25519Verify(signature, message, publicKey)
    },
  }
}
