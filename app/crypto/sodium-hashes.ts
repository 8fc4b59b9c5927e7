import type { Sodium } from 'libsodium'
import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import { maxInputBytes, type Scratch } from './scratch.ts'

type Hashes = Pick<CryptoProvider, 'sha256' | 'sha512' | 'hmacSha256' | 'hmacSha256Pair' | 'hkdfSha256'>

/** RFC 5869: 255 blocks. */
const maxHkdfBytes = 255 * 32

/** Hashes and what is made of them. HMAC-SHA256 is libsodium's HKDF-Extract, with the key as the salt (RFC 5869 section 2.2). */
export const sodiumHashes = (sodium: Sodium, scratch: Scratch): Hashes => {
  const {
    _crypto_kdf_hkdf_sha256_extract: extract,
    _crypto_kdf_hkdf_sha256_extract_init: begin,
    _crypto_kdf_hkdf_sha256_extract_update: update,
    _crypto_kdf_hkdf_sha256_extract_final: end,
    _crypto_kdf_hkdf_sha256_expand: expand,
  } = sodium
  const stateBytes = sodium._crypto_kdf_hkdf_sha256_statebytes()

  /** HMAC of `data` from a state that has taken the key. */
  const finish = (state: number, data: Uint8Array): Uint8Array => {
    const output = scratch.take(32)
    update(state, scratch.put(data), data.length)
    end(state, output)
    return scratch.read(output, 32)
  }

  return {
    // The small build of libsodium keeps its SHA-256 to itself.
    sha256: noble.sha256,
    sha512(data) {
      if (data.length > maxInputBytes) return noble.sha512(data)
      return scratch.use(() => {
        const output = scratch.take(64)
        sodium._crypto_hash(output, scratch.put(data), data.length, 0)
        return scratch.read(output, 64)
      })
    },
    hmacSha256(key, data) {
      if (key.length + data.length > maxInputBytes) return noble.hmacSha256(key, data)
      return scratch.use(() => {
        const output = scratch.take(32)
        extract(output, scratch.put(key), key.length, scratch.put(data), data.length)
        return scratch.read(output, 32)
      })
    },
    hmacSha256Pair(key, first, second) {
      if (key.length + first.length + second.length > maxInputBytes) return noble.hmacSha256Pair(key, first, second)
      return scratch.use(() => {
        const [keyed, copy] = [scratch.take(stateBytes), scratch.take(stateBytes)]
        begin(keyed, scratch.put(key), key.length)
        scratch.copy(keyed, copy, stateBytes)
        return [finish(keyed, first), finish(copy, second)]
      })
    },
    hkdfSha256(ikm, salt, info, length) {
      const fits = ikm.length + salt.length + info.length <= maxInputBytes - maxHkdfBytes
      // What is not a length, or too much, noble refuses.
      if (!fits || !Number.isInteger(length) || length < 0 || length > maxHkdfBytes) {
        return noble.hkdfSha256(ikm, salt, info, length)
      }
      return scratch.use(() => {
        const [prk, output] = [scratch.take(32), scratch.take(length)]
        extract(prk, scratch.put(salt), salt.length, scratch.put(ikm), ikm.length)
        expand(output, length, scratch.put(info), info.length, prk)
        return scratch.read(output, length)
      })
    },
  }
}
