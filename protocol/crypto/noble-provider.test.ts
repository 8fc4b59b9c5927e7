import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  encapsulate,
  hkdfSync,
  sign as opensslSign,
  verify as opensslVerify,
} from 'node:crypto'
import { assert, integer, property, uint8Array } from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { fromHex } from '../wire/bytes.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { noble } from './noble-provider.ts'
import { cryptoProviderSuite } from './provider.suite.ts'

cryptoProviderSuite('noble', noble)

const bytes = (minLength: number, maxLength = minLength) => uint8Array({ minLength, maxLength })
const plain = (value: Uint8Array | ArrayBuffer) => new Uint8Array(value)

const der = (prefix: string, raw: Uint8Array) => Buffer.concat([Buffer.from(prefix, 'hex'), raw])

/** The last byte of a curve's object identifier, 1.3.101.x (RFC 8410). */
const curves = { X25519: '6e', Ed25519: '70' } as const

/** PKCS #8 and SPKI frames of RFC 8410 around raw 32-byte keys. */
const privateKey = (curve: keyof typeof curves, raw: Uint8Array) =>
  createPrivateKey({ key: der(`302e020100300506032b65${curves[curve]}04220420`, raw), format: 'der', type: 'pkcs8' })
const publicKey = (curve: keyof typeof curves, raw: Uint8Array) =>
  createPublicKey({ key: der(`302a300506032b65${curves[curve]}032100`, raw), format: 'der', type: 'spki' })
/** The raw key of an SPKI frame, whose last `length` bytes it is. */
const rawOf = (key: ReturnType<typeof publicKey>, length: number) =>
  plain(key.export({ format: 'der', type: 'spki' }).subarray(-length))

const opensslX25519 = (secret: Uint8Array, remote: Uint8Array) =>
  plain(diffieHellman({ privateKey: privateKey('X25519', secret), publicKey: publicKey('X25519', remote) }))

test('OpenSSL agrees: X25519 with random keys', () => {
  assert(
    property(bytes(32), bytes(32), (secret, u) => {
      const remote = u.with(31, (u[31] as number) & 0x7f)
      expect(noble.x25519PublicKey(secret)).toEqual(rawOf(createPublicKey(privateKey('X25519', secret)), 32))
      expect(noble.x25519(secret, remote)).toEqual(opensslX25519(secret, remote))
    }),
    { numRuns: 100 },
  )
})

/** Little-endian numbers of 32 bytes: 0 to 9, and 2^255 - 1 downwards. */
const low = (n: number) => new Uint8Array(32).with(0, n)
const high = (below: number) =>
  new Uint8Array(32)
    .fill(0xff)
    .with(31, 0x7f)
    .with(0, 0xff - below)

/** Of order 8, from the list in RFC 7748's reference to it (cr.yp.to/ecdh.html). */
const orderEight = [
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
].map(fromHex)

test('OpenSSL agrees: X25519 at the edges, and refuses the same keys of low order', () => {
  const secrets = [low(0), low(1), high(0), new Uint8Array(32).fill(0xff), low(8).with(31, 0x40)]
  // 2^255 - 20 = p - 1 is the highest canonical coordinate.
  const remotes = [...Array.from({ length: 10 }, (_, n) => low(n)), high(19), high(20), high(21), ...orderEight]
  let refused = 0
  for (const secret of secrets) {
    expect(noble.x25519PublicKey(secret)).toEqual(rawOf(createPublicKey(privateKey('X25519', secret)), 32))
    for (const remote of remotes) {
      if (refusal(() => noble.x25519(secret, remote)) === 'accepted') {
        expect(noble.x25519(secret, remote)).toEqual(opensslX25519(secret, remote))
      } else {
        expect(() => opensslX25519(secret, remote)).toThrow(/deriv/)
        refused++
      }
    }
  }
  // 0, 1, p - 1 and the two of order 8, whatever the secret.
  expect(refused).toBe(5 * secrets.length)
})

test('OpenSSL takes a non-canonical key for the one it stands for, Sotto refuses it', () => {
  const secret = low(77)
  // p + n for the n that are not of low order, and 9 with bit 255 set.
  const twins = Array.from({ length: 17 }, (_, i) => [high(18 - (i + 2)), low(i + 2)] as const)
  for (const [twin, canonical] of [...twins, [low(9).with(31, 0x80), low(9)] as const]) {
    expect(opensslX25519(secret, twin)).toEqual(noble.x25519(secret, canonical))
    expect(refusal(() => noble.x25519(secret, twin))).toBe('key')
  }
})

test('OpenSSL agrees: Ed25519', () => {
  assert(
    property(bytes(32), bytes(0, 200), integer({ min: 0, max: 511 }), (seed, message, bit) => {
      const key = noble.ed25519PublicKey(seed)
      const signature = noble.ed25519Sign(seed, message)
      expect(key).toEqual(rawOf(createPublicKey(privateKey('Ed25519', seed)), 32))
      expect(signature).toEqual(plain(opensslSign(null, message, privateKey('Ed25519', seed))))
      const altered = signature.with(bit >> 3, (signature[bit >> 3] as number) ^ (1 << (bit & 7)))
      for (const each of [signature, altered]) {
        const expected = opensslVerify(null, message, publicKey('Ed25519', key), each)
        expect(noble.ed25519Verify(each, message, key)).toBe(expected)
        expect(expected).toBe(each === signature)
      }
    }),
    { numRuns: 50 },
  )
})

test('OpenSSL agrees: ChaCha20-Poly1305, both ways', () => {
  assert(
    property(bytes(32), bytes(12), bytes(0, 300), bytes(0, 100), (key, nonce, message, data) => {
      const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
      cipher.setAAD(data, { plaintextLength: message.length })
      const expected = plain(Buffer.concat([cipher.update(message), cipher.final(), cipher.getAuthTag()]))
      const sealed = noble.chacha20poly1305Seal(key, nonce, message, data)
      expect(sealed).toEqual(expected)
      expect(noble.chacha20poly1305Open(key, nonce, expected, data)).toEqual(message)
      const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 })
      decipher.setAAD(data, { plaintextLength: message.length }).setAuthTag(sealed.subarray(-16))
      expect(plain(Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]))).toEqual(message)
    }),
    { numRuns: 100 },
  )
})

test('OpenSSL agrees: SHA-2, HMAC and HKDF', () => {
  const hmac = (key: Uint8Array, data: Uint8Array) => plain(createHmac('sha256', key).update(data).digest())
  // Keys below, at and above the block of 64 bytes; outputs up to the 255th block.
  assert(
    property(
      bytes(0, 150),
      bytes(0, 300),
      bytes(0, 100),
      integer({ min: 1, max: 8_160 }),
      (key, data, info, length) => {
        expect(noble.sha512(data)).toEqual(plain(createHash('sha512').update(data).digest()))
        expect(noble.sha256(data)).toEqual(plain(createHash('sha256').update(data).digest()))
        expect(noble.hmacSha256(key, data)).toEqual(hmac(key, data))
        expect(noble.hmacSha256Pair(key, data, info)).toEqual([hmac(key, data), hmac(key, info)])
        expect(noble.hkdfSha256(data, key, info, length)).toEqual(plain(hkdfSync('sha256', data, key, info, length)))
      },
    ),
    { numRuns: 100 },
  )
})

/** From Node 24.7, when it is built with OpenSSL 3.5. Frames of RFC 9935 around a 64-byte seed and an encapsulation key. */
const kemPair = (seed: Uint8Array) => {
  const privateHalf = createPrivateKey({
    key: der('3054020100300b060960864801650304040204428040', seed),
    format: 'der',
    type: 'pkcs8',
  })
  return { privateHalf, publicHalf: createPublicKey(privateHalf) }
}

const hasKem = ((): boolean => {
  try {
    return (
      typeof encapsulate === 'function' && kemPair(new Uint8Array(64)).publicHalf.asymmetricKeyType === 'ml-kem-768'
    )
  } catch {
    return false
  }
})()
const kemMissing = hasKem ? '' : ' (skipped: needs Node 24.7 with OpenSSL 3.5)'

describe.skipIf(!hasKem)(`OpenSSL agrees: ML-KEM-768${kemMissing}`, () => {
  test('keys, encapsulation for each other, and the secret of an altered ciphertext', () => {
    assert(
      property(bytes(64), bytes(32), integer({ min: 0, max: 1_087 }), (seed, randomness, at) => {
        const { encapsulationKey, decapsulationKey } = noble.mlkem768Keygen(seed)
        const { privateHalf, publicHalf } = kemPair(seed)
        expect(encapsulationKey).toEqual(rawOf(publicHalf, 1_184))

        const theirs = encapsulate(publicHalf)
        expect(noble.mlkem768Decapsulate(decapsulationKey, plain(theirs.ciphertext))).toEqual(plain(theirs.sharedKey))

        const { ciphertext, sharedSecret } = noble.mlkem768Encapsulate(encapsulationKey, randomness)
        expect(plain(decapsulate(privateHalf, ciphertext))).toEqual(sharedSecret)

        const altered = ciphertext.with(at, (ciphertext[at] as number) ^ 1)
        const rejected = noble.mlkem768Decapsulate(decapsulationKey, altered)
        expect(rejected).toEqual(plain(decapsulate(privateHalf, altered)))
        expect(rejected).not.toEqual(sharedSecret)
      }),
      { numRuns: 50 },
    )
  })
})

test('a KEM secret exists once: the buffer that noble made it in is overwritten', () => {
  const { encapsulationKey, decapsulationKey } = noble.mlkem768Keygen(new Uint8Array(64).fill(1))
  const copied = vi.spyOn(Uint8Array.prototype, 'slice')
  try {
    const { ciphertext, sharedSecret } = noble.mlkem768Encapsulate(encapsulationKey, new Uint8Array(32).fill(2))
    const sender = copied.mock.contexts.at(-1)
    expect(noble.mlkem768Decapsulate(decapsulationKey, ciphertext)).toEqual(sharedSecret)
    expect(sharedSecret).not.toEqual(new Uint8Array(32))
    expect([sender, copied.mock.contexts.at(-1)]).toEqual([new Uint8Array(32), new Uint8Array(32)])
  } finally {
    copied.mockRestore()
  }
})
