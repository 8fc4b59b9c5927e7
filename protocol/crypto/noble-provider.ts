import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { wipe } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import { isBelowFieldPrime, requireLength } from './checks.ts'
import { aeadTagBytes, type CryptoProvider } from './provider.ts'

/** Runs a noble function whose only failures are unacceptable keys. */
const orKeyError = <T>(name: string, run: () => T): T => {
  try {
    return run()
  } catch (cause) {
    throw new ProtocolError('key', `${name} is not acceptable`, { cause })
  }
}

/** noble's ML-KEM secrets are views on a larger buffer: a copy of its own for the caller, and nothing left behind. */
const moveOut = (secret: Uint8Array): Uint8Array => {
  const own = secret.slice()
  wipe(secret)
  return own
}

type Aead = typeof chacha20poly1305 | typeof xchacha20poly1305

const seal =
  (cipher: Aead, nonceBytes: number) =>
  (key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, associatedData: Uint8Array): Uint8Array => {
    requireLength(key, 32, 'AEAD key')
    requireLength(nonce, nonceBytes, 'nonce')
    return cipher(key, nonce, associatedData).encrypt(plaintext)
  }

const open =
  (cipher: Aead, nonceBytes: number) =>
  (key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): Uint8Array => {
    requireLength(key, 32, 'AEAD key')
    requireLength(nonce, nonceBytes, 'nonce')
    if (sealed.length < aeadTagBytes) throw new ProtocolError('authentication', 'sealed data is shorter than its tag')
    try {
      return cipher(key, nonce, associatedData).decrypt(sealed)
    } catch (cause) {
      throw new ProtocolError('authentication', 'sealed data does not open with this key', { cause })
    }
  }

/** The default provider: pure TypeScript, the same in browsers and Node. Who audited what of it: `spec/audit.md`. */
export const noble: CryptoProvider = {
  x25519PublicKey(secret) {
    requireLength(secret, 32, 'X25519 secret')
    return x25519.getPublicKey(secret)
  },
  x25519(secret, publicKey) {
    requireLength(secret, 32, 'X25519 secret')
    requireLength(publicKey, 32, 'X25519 public key')
    if (!isBelowFieldPrime(publicKey)) throw new ProtocolError('key', 'X25519 public key is not canonical')
    return orKeyError('X25519 public key', () => x25519.getSharedSecret(secret, publicKey))
  },

  ed25519PublicKey(seed) {
    requireLength(seed, 32, 'Ed25519 seed')
    return ed25519.getPublicKey(seed)
  },
  ed25519Sign(seed, message) {
    requireLength(seed, 32, 'Ed25519 seed')
    return ed25519.sign(message, seed)
  },
  ed25519Verify(signature, message, publicKey) {
    if (signature.length !== 64 || publicKey.length !== 32) return false
    try {
      return ed25519.verify(signature, message, publicKey, { zip215: false })
    } catch {
      return false
    }
  },

  mlkem768Keygen(seed) {
    requireLength(seed, 64, 'ML-KEM seed')
    const { publicKey, secretKey } = ml_kem768.keygen(seed)
    return { encapsulationKey: publicKey, decapsulationKey: secretKey }
  },
  mlkem768Encapsulate(encapsulationKey, randomness) {
    requireLength(randomness, 32, 'ML-KEM randomness')
    const run = () => ml_kem768.encapsulate(encapsulationKey, randomness)
    const { cipherText, sharedSecret } = orKeyError('ML-KEM encapsulation key', run)
    return { ciphertext: cipherText, sharedSecret: moveOut(sharedSecret) }
  },
  mlkem768Decapsulate(decapsulationKey, ciphertext) {
    const run = () => ml_kem768.decapsulate(ciphertext, decapsulationKey)
    return moveOut(orKeyError('ML-KEM ciphertext or decapsulation key', run))
  },

  chacha20poly1305Seal: seal(chacha20poly1305, 12),
  chacha20poly1305Open: open(chacha20poly1305, 12),
  xchacha20poly1305Seal: seal(xchacha20poly1305, 24),
  xchacha20poly1305Open: open(xchacha20poly1305, 24),

  sha256: (data) => sha256(data),
  sha512: (data) => sha512(data),
  hmacSha256: (key, data) => hmac(sha256, key, data),
  hmacSha256Pair(key, first, second) {
    const keyed = hmac.create(sha256, key)
    const copy = keyed.clone()
    return [copy.update(first).digest(), keyed.update(second).digest()]
  },
  hkdfSha256(ikm, salt, info, length) {
    if (length > 255 * 32) throw new ProtocolError('limit', 'HKDF-SHA256 gives at most 8,160 bytes')
    return hkdf(sha256, ikm, salt, info, length)
  },
}
