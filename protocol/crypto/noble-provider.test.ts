import {
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  sign as opensslSign,
} from 'node:crypto'
import { assert, property, uint8Array } from 'fast-check'
import { expect, test } from 'vitest'
import { noble } from './noble-provider.ts'
import { cryptoProviderSuite } from './provider.suite.ts'

cryptoProviderSuite('noble', noble)

const bytes = (minLength: number, maxLength = minLength) => uint8Array({ minLength, maxLength })
const plain = (value: Uint8Array | ArrayBuffer) => new Uint8Array(value)

/** PKCS #8 and SPKI frames of RFC 8410 around raw 32-byte keys. */
const privateKey = (curve: 'X25519' | 'Ed25519', raw: Uint8Array) =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from(`302e020100300506032b65${curve === 'X25519' ? '6e' : '70'}04220420`, 'hex'), raw]),
    format: 'der',
    type: 'pkcs8',
  })
const publicX25519 = (raw: Uint8Array) =>
  createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), raw]),
    format: 'der',
    type: 'spki',
  })

test('OpenSSL agrees: curves', () => {
  assert(
    property(bytes(32), bytes(32), bytes(0, 200), (a, b, message) => {
      const remote = noble.x25519PublicKey(b)
      const expected = diffieHellman({ privateKey: privateKey('X25519', a), publicKey: publicX25519(remote) })
      expect(noble.x25519(a, remote)).toEqual(plain(expected))
      expect(noble.ed25519Sign(a, message)).toEqual(plain(opensslSign(null, message, privateKey('Ed25519', a))))
    }),
    { numRuns: 20 },
  )
})

test('OpenSSL agrees: AEAD and hashes', () => {
  assert(
    property(bytes(32), bytes(12), bytes(0, 300), bytes(0, 100), (key, nonce, message, data) => {
      const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
      cipher.setAAD(data, { plaintextLength: message.length })
      const expected = Buffer.concat([cipher.update(message), cipher.final(), cipher.getAuthTag()])
      expect(noble.chacha20poly1305Seal(key, nonce, message, data)).toEqual(plain(expected))
      expect(noble.hkdfSha256(message, nonce, data, 96)).toEqual(plain(hkdfSync('sha256', message, nonce, data, 96)))
      expect(noble.sha512(message)).toEqual(plain(createHash('sha512').update(message).digest()))
      expect(noble.sha256(message)).toEqual(plain(createHash('sha256').update(message).digest()))
    }),
    { numRuns: 50 },
  )
})
