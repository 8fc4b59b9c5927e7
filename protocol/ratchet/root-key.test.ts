import { expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { concatBytes, encodeUtf8 } from '../wire/bytes.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { refusalInFull } from '../wire/refusal.fixture.ts'
import type { RatchetKey, RatchetSecret, RootKey } from './keys.ts'
import { advanceRoot } from './root-key.ts'
import { defaultSuite, suiteOf } from './suite.ts'

const random = seededRandom(3)
const rootKey = random(32) as RootKey
const secret = random(32) as RatchetSecret
const publicKey = noble.x25519PublicKey(random(32)) as RatchetKey
const kem = { secret: random(32), key: random(1_184), ciphertext: random(1_088) }
const shared = noble.x25519(secret, publicKey)

const split = (okm: Uint8Array) => ({
  rootKey: okm.slice(0, 32),
  chainKey: okm.slice(32, 64),
  nextHeaderKey: okm.slice(64, 96),
})

test('a step is HKDF of the Diffie-Hellman output under the root key', () => {
  const okm = noble.hkdfSha256(shared, rootKey, encodeUtf8('Sotto_root'), 96)
  expect(advanceRoot(defaultSuite, rootKey, secret, publicKey)).toEqual(split(okm))
})

test('with a KEM step: of both secrets, under a label that binds key and ciphertext', () => {
  const info = concatBytes(encodeUtf8('Sotto_kem_root'), noble.sha256(concatBytes(kem.key, kem.ciphertext)))
  const okm = noble.hkdfSha256(concatBytes(shared, kem.secret), rootKey, info, 96)
  expect(advanceRoot(defaultSuite, rootKey, secret, publicKey, kem)).toEqual(split(okm))
})

test('a suite without label for it makes no KEM step', () => {
  const { kemRootLabel: _, ...plain } = defaultSuite
  expect(refusalInFull(() => advanceRoot(plain, rootKey, secret, publicKey, kem))).toBe(
    'malformed: ratchet: this suite has no KEM step',
  )
  expect(refusalInFull(() => advanceRoot(plain, rootKey, secret, publicKey))).toBe('accepted')
})

test.each([
  ['without', undefined],
  ['with', kem],
])('nothing in between is left in memory, %s a KEM step', (_, given) => {
  const seen: Uint8Array[] = []
  const keep = (bytes: Uint8Array): Uint8Array => {
    seen.push(bytes)
    return bytes
  }
  const watching = {
    ...noble,
    x25519: (own: Uint8Array, remote: Uint8Array) => keep(noble.x25519(own, remote)),
    hkdfSha256: (ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number) =>
      keep(noble.hkdfSha256(keep(ikm), salt, info, length)),
  }
  advanceRoot(suiteOf(watching), rootKey, secret, publicKey, given)
  expect(seen).toHaveLength(3)
  expect(seen.filter((bytes) => bytes.some((byte) => byte !== 0))).toEqual([])
})
