import type { Sodium } from 'libsodium'
import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import { maxInputBytes, type Scratch } from './scratch.ts'

type Hashes = Pick<CryptoProvider, 'sha256' | 'sha512' | 'hmacSha256' | 'hmacSha256Pair' | 'hkdfSha256'>

/** RFC 5869: 255 blocks. */
const maxHkdfBytes = 255 * 32

/**
 * SHA-256 is not among the names of this build, but HMAC begins with it: the first of the two hashes in its state is eight
 * words, a count of 64 bits and the block that is being filled (`crypto_hash_sha256_state`). Begun as FIPS 180-4 section
 * 5.3.3 says, and without a key, it takes whole blocks through the same compression; the padding of section 5.1.1 is ours.
 */
const sha256StartWords = Uint32Array.of(
  ...[0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19],
)
/** The words as they stand in memory, little-endian, and a count of zero. */
const sha256Start = new Uint8Array(40)
sha256StartWords.forEach((word, i) => new DataView(sha256Start.buffer).setUint32(4 * i, word, true))

/** 0x80, zeros, and the length in bits (8 bytes, big-endian), up to whole blocks of 64 bytes. */
const padding = (length: number): Uint8Array => {
  const out = new Uint8Array(64 - ((length + 8) % 64) + 8)
  out[0] = 0x80
  new DataView(out.buffer).setUint32(out.length - 4, 8 * length)
  return out
}

/** Words from the memory's order of bytes into that of the hash, in place. */
const swapWords = (words: Uint8Array): Uint8Array => {
  const view = new DataView(words.buffer, words.byteOffset, words.length)
  for (let i = 0; i < words.length; i += 4) view.setUint32(i, view.getUint32(i, true))
  return words
}

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
    sha256(data) {
      if (data.length > maxInputBytes) return noble.sha256(data)
      return scratch.use(() => {
        const [state, end] = [scratch.take(stateBytes), padding(data.length)]
        scratch.write(state, sha256Start)
        const text = scratch.put(data, end.length)
        scratch.write(text + data.length, end)
        update(state, text, data.length + end.length)
        return swapWords(scratch.read(state, 32))
      })
    },
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
