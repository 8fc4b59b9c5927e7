import type { AeadDecrypt, AeadEncrypt, Sodium } from 'libsodium'
import { requireLength } from '../../protocol/crypto/checks.ts'
import { noble } from '../../protocol/crypto/noble-provider.ts'
import { aeadTagBytes, type CryptoProvider } from '../../protocol/crypto/provider.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import { maxInputBytes, type Scratch } from './scratch.ts'

type Ciphers = Pick<
  CryptoProvider,
  'chacha20poly1305Seal' | 'chacha20poly1305Open' | 'xchacha20poly1305Seal' | 'xchacha20poly1305Open'
>

/** Key, nonce, input, associated data: sealing and opening alike. */
type Cipher = CryptoProvider['chacha20poly1305Seal']

const seal =
  (scratch: Scratch, encrypt: AeadEncrypt, nonceBytes: number, large: Cipher): Cipher =>
  (key, nonce, plaintext, associatedData) => {
    if (plaintext.length + associatedData.length > maxInputBytes) return large(key, nonce, plaintext, associatedData)
    requireLength(key, 32, 'AEAD key')
    requireLength(nonce, nonceBytes, 'nonce')
    return scratch.use(() => {
      const text = scratch.put(plaintext, aeadTagBytes)
      const [data, nonceAt, keyAt] = [scratch.put(associatedData), scratch.put(nonce), scratch.put(key)]
      encrypt(text, 0, text, plaintext.length, 0, data, associatedData.length, 0, 0, nonceAt, keyAt)
      return scratch.read(text, plaintext.length + aeadTagBytes)
    })
  }

/**
 * One for all: to make one, with its stack, takes seven times as long as an opening that fails, and what comes is tried with
 * many keys. It holds nothing of the data.
 */
const refused = new ProtocolError('authentication', 'sealed data does not open with this key')

const open =
  (scratch: Scratch, decrypt: AeadDecrypt, nonceBytes: number, large: Cipher): Cipher =>
  (key, nonce, sealed, associatedData) => {
    if (sealed.length + associatedData.length > maxInputBytes) return large(key, nonce, sealed, associatedData)
    requireLength(key, 32, 'AEAD key')
    requireLength(nonce, nonceBytes, 'nonce')
    return scratch.use(() => {
      const text = scratch.put(sealed)
      const [data, nonceAt, keyAt] = [scratch.put(associatedData), scratch.put(nonce), scratch.put(key)]
      // Refuses what is shorter than a tag as well.
      if (decrypt(text, 0, 0, text, sealed.length, 0, data, associatedData.length, 0, nonceAt, keyAt) !== 0) {
        throw refused
      }
      return scratch.read(text, sealed.length - aeadTagBytes)
    })
  }

/** ChaCha20-Poly1305 and XChaCha20-Poly1305, in place within the scratch region. */
export const sodiumCiphers = (sodium: Sodium, scratch: Scratch): Ciphers => ({
  chacha20poly1305Seal: seal(
    scratch,
    sodium._crypto_aead_chacha20poly1305_ietf_encrypt,
    12,
    noble.chacha20poly1305Seal,
  ),
  chacha20poly1305Open: open(
    scratch,
    sodium._crypto_aead_chacha20poly1305_ietf_decrypt,
    12,
    noble.chacha20poly1305Open,
  ),
  xchacha20poly1305Seal: seal(
    scratch,
    sodium._crypto_aead_xchacha20poly1305_ietf_encrypt,
    24,
    noble.xchacha20poly1305Seal,
  ),
  xchacha20poly1305Open: open(
    scratch,
    sodium._crypto_aead_xchacha20poly1305_ietf_decrypt,
    24,
    noble.xchacha20poly1305Open,
  ),
})
