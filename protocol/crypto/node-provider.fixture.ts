import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hash,
  hkdfSync,
} from 'node:crypto'
import { hchacha } from '@noble/ciphers/chacha.js'
import { ProtocolError } from '../wire/error.ts'
import { noble } from './noble-provider.ts'
import { aeadTagBytes, type CryptoProvider } from './provider.ts'

/** PKCS #8 and SPKI frames of RFC 8410 around raw keys of 32 bytes. */
const privateFrame = Buffer.from('302e020100300506032b656e04220420', 'hex')
const publicFrame = Buffer.from('302a300506032b656e032100', 'hex')

const privateKey = (raw: Uint8Array) =>
  createPrivateKey({ key: Buffer.concat([privateFrame, raw]), format: 'der', type: 'pkcs8' })
const publicKey = (raw: Uint8Array) =>
  createPublicKey({ key: Buffer.concat([publicFrame, raw]), format: 'der', type: 'spki' })

const plain = (value: Buffer | ArrayBuffer): Uint8Array => new Uint8Array(value)

type Aead = CryptoProvider['chacha20poly1305Seal']

const seal: Aead = (key, nonce, plaintext, associatedData) => {
  if (key.length !== 32 || nonce.length !== 12) return noble.chacha20poly1305Seal(key, nonce, plaintext, associatedData)
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: aeadTagBytes })
  cipher.setAAD(associatedData, { plaintextLength: plaintext.length })
  return plain(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]))
}

const open: Aead = (key, nonce, sealed, associatedData) => {
  if (key.length !== 32 || nonce.length !== 12 || sealed.length < aeadTagBytes)
    return noble.chacha20poly1305Open(key, nonce, sealed, associatedData)
  const end = sealed.length - aeadTagBytes
  const cipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: aeadTagBytes })
  cipher.setAAD(associatedData, { plaintextLength: end })
  cipher.setAuthTag(sealed.subarray(end))
  const opened = cipher.update(sealed.subarray(0, end))
  try {
    cipher.final()
  } catch (cause) {
    throw new ProtocolError('authentication', 'sealed data does not open with this key', { cause })
  }
  return plain(opened)
}

const words = (bytes: Uint8Array): Uint32Array => new Uint32Array(bytes.slice().buffer)

/** "expand 32-byte k", RFC 8439 section 2.3. */
const sigma = words(new TextEncoder().encode('expand 32-byte k'))

/** draft-irtf-cfrg-xchacha section 2.3: a subkey from the first 16 bytes of the nonce, the rest behind four zero bytes. */
const extended =
  (cipher: Aead, refuse: Aead): Aead =>
  (key, nonce, data, associatedData) => {
    if (key.length !== 32 || nonce.length !== 24) return refuse(key, nonce, data, associatedData)
    const subkey = new Uint32Array(8)
    hchacha(sigma, words(key), words(nonce.subarray(0, 16)), subkey)
    const short = new Uint8Array(12)
    short.set(nonce.subarray(16), 4)
    return cipher(new Uint8Array(subkey.buffer), short, data, associatedData)
  }

/**
 * Node's OpenSSL behind the seam, several times as fast as noble: for tests of many steps. Nothing is left out: curves, AEADs and
 * hashes are OpenSSL's, XChaCha20's subkey, Ed25519 and ML-KEM are noble's; `node-provider.test.ts` holds it to the suite.
 */
export const nodeProvider: CryptoProvider = {
  ...noble,
  x25519PublicKey: (secret) =>
    secret.length === 32
      ? plain(createPublicKey(privateKey(secret)).export({ format: 'der', type: 'spki' }).subarray(-32))
      : noble.x25519PublicKey(secret),
  x25519: (secret, remote) => {
    // Keys that might not be canonical are noble's to judge.
    if (secret.length !== 32 || remote.length !== 32 || (remote[31] ?? 0) >= 0x7f) return noble.x25519(secret, remote)
    try {
      return plain(diffieHellman({ privateKey: privateKey(secret), publicKey: publicKey(remote) }))
    } catch (cause) {
      throw new ProtocolError('key', 'X25519 public key is not acceptable', { cause })
    }
  },
  chacha20poly1305Seal: seal,
  chacha20poly1305Open: open,
  xchacha20poly1305Seal: extended(seal, noble.xchacha20poly1305Seal),
  xchacha20poly1305Open: extended(open, noble.xchacha20poly1305Open),
  sha256: (data) => plain(hash('sha256', data, 'buffer')),
  sha512: (data) => plain(hash('sha512', data, 'buffer')),
  hmacSha256: (key, data) => plain(createHmac('sha256', key).update(data).digest()),
  hmacSha256Pair: (key, first, second) => [
    plain(createHmac('sha256', key).update(first).digest()),
    plain(createHmac('sha256', key).update(second).digest()),
  ],
  hkdfSha256: (ikm, salt, info, length) =>
    length > 255 * 32 ? noble.hkdfSha256(ikm, salt, info, length) : plain(hkdfSync('sha256', ikm, salt, info, length)),
}
