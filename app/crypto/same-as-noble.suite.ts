import { sha3_256 } from '@noble/hashes/sha3.js'
import { assert, constantFrom, integer, oneof, property, tuple, uint8Array, type Arbitrary } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { passesModulusCheck } from '../../protocol/crypto/checks.ts'
import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import { concatBytes, fromHex } from '../../protocol/wire/bytes.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import { seededRandom } from '../../protocol/wire/random.fixture.ts'
import { maxInputBytes } from './scratch.ts'

/** What a call gives, or the code with which it refuses. Anything but a ProtocolError is a failure. */
const outcome = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}

const bytes = (minLength: number, maxLength = minLength): Arbitrary<Uint8Array> => uint8Array({ minLength, maxLength })
/** Mostly of the right length. */
const about = (length: number): Arbitrary<Uint8Array> =>
  oneof({ weight: 6, arbitrary: bytes(length) }, { weight: 1, arbitrary: bytes(0, length + 40) })
/** With one bit turned, or none. */
const bent = (value: Uint8Array, at: number): Uint8Array => {
  const copy = value.slice()
  const byte = copy[at >> 3]
  if (byte !== undefined) copy[at >> 3] = byte ^ (1 << (at & 7))
  return copy
}
const withTop = (value: Uint8Array, top: number): Uint8Array => Uint8Array.of(...value.subarray(0, -1), top)

const littleEndian = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0')).toReversed()
const fieldPrime = 2n ** 255n - 19n
const groupOrder = 2n ** 252n + 27742317777372353535851937790883648493n
const asNumber = (value: Uint8Array): bigint => value.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)

/** u of the points of small order on curve25519 and its twist. */
const smallOrderU = [0n, 1n, fieldPrime - 1n]
  .map(littleEndian)
  .concat(
    fromHex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'),
    fromHex('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'),
  )
/** y of the points of small order on edwards25519. */
const smallOrderY = [0n, 1n, fieldPrime - 1n]
  .map(littleEndian)
  .concat(
    fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'),
    fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'),
  )
/** Every encoding that is not below the prime, with and without the highest bit, and the small orders both ways. */
const oddEncodings = [...Array.from({ length: 20 }, (_, i) => littleEndian(fieldPrime - 1n + BigInt(i)))]
  .concat(smallOrderU, smallOrderY)
  .flatMap((value) => [value, withTop(value, (value[31] as number) | 0x80)])

const curves = (provider: CryptoProvider): void => {
  test('X25519: random keys, lengths, low orders, all that is not canonical', () => {
    const key = oneof(about(32), constantFrom(...oddEncodings))
    assert(
      property(about(32), key, (secret, publicKey) => {
        expect(outcome(() => provider.x25519(secret, publicKey))).toEqual(
          outcome(() => noble.x25519(secret, publicKey)),
        )
        expect(outcome(() => provider.x25519PublicKey(secret))).toEqual(outcome(() => noble.x25519PublicKey(secret)))
      }),
      { numRuns: 150 },
    )
    const secret = seededRandom(1)(32)
    for (const publicKey of oddEncodings) {
      expect(outcome(() => provider.x25519(secret, publicKey))).toEqual(outcome(() => noble.x25519(secret, publicKey)))
    }
  })

  test('Ed25519: keys and signatures of random seeds and messages', () => {
    assert(
      property(about(32), bytes(0, 300), (seed, message) => {
        expect(outcome(() => provider.ed25519PublicKey(seed))).toEqual(outcome(() => noble.ed25519PublicKey(seed)))
        expect(outcome(() => provider.ed25519Sign(seed, message))).toEqual(
          outcome(() => noble.ed25519Sign(seed, message)),
        )
      }),
      { numRuns: 60 },
    )
  })

  const same = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean => {
    const expected = noble.ed25519Verify(signature, message, publicKey)
    expect(provider.ed25519Verify(signature, message, publicKey)).toBe(expected)
    return expected
  }

  test('Ed25519: verification of bent signatures, keys and messages, and of lengths', () => {
    let accepted = 0
    const bit = integer({ min: 0, max: 900 })
    assert(
      property(bytes(32), bytes(0, 100), bit, bit, bit, (seed, message, a, b, c) => {
        const [signature, publicKey] = [noble.ed25519Sign(seed, message), noble.ed25519PublicKey(seed)]
        if (same(bent(signature, a), bent(message, b + 500), bent(publicKey, c))) accepted++
        same(signature.subarray(0, a), message, publicKey)
        same(signature, message, publicKey.subarray(0, b))
      }),
      { numRuns: 100 },
    )
    expect(accepted).toBeGreaterThan(5)
  })
}

/** The secret scalar of a seed, RFC 8032 section 5.1.5. */
const scalarOf = (seed: Uint8Array): bigint => {
  const hash = noble.sha512(seed).subarray(0, 32)
  return (asNumber(hash) & (2n ** 254n - 8n)) | (2n ** 254n)
}
const challenge = (...parts: Uint8Array[]): bigint => asNumber(noble.sha512(concatBytes(...parts))) % groupOrder

const oddSignatures = (provider: CryptoProvider): void => {
  test('Ed25519: s not below the group order, odd points for R and the public key', () => {
    const [seed, message] = [seededRandom(2)(32), Uint8Array.of(1, 2, 3)]
    const [signature, publicKey] = [noble.ed25519Sign(seed, message), noble.ed25519PublicKey(seed)]
    const [r, s] = [signature.subarray(0, 32), asNumber(signature.subarray(32))]
    const odd: [Uint8Array, Uint8Array][] = []
    for (let times = 0n; times < 16n; times++) {
      if (s + times * groupOrder < 2n ** 256n)
        odd.push([concatBytes(r, littleEndian(s + times * groupOrder)), publicKey])
    }
    for (const point of oddEncodings) {
      odd.push([concatBytes(point, littleEndian(s)), publicKey], [concatBytes(point, littleEndian(0n)), publicKey])
      odd.push([signature, point], [concatBytes(point, littleEndian(0n)), point])
    }
    const verdicts = odd.map(([given, key]) => {
      const expected = noble.ed25519Verify(given, message, key)
      expect(provider.ed25519Verify(given, message, key)).toBe(expected)
      return expected
    })
    expect(verdicts.filter(Boolean)).toHaveLength(1)
  })

  test('Ed25519: signatures whose R has small order, made by whoever holds the key', () => {
    const [seed, message] = [seededRandom(3)(32), Uint8Array.of(4, 5)]
    const publicKey = noble.ed25519PublicKey(seed)
    // R adds nothing to the equation once multiplied by the cofactor, so s = k a.
    const verdicts = smallOrderY
      .flatMap((y) => [y, withTop(y, (y[31] as number) | 0x80)])
      .concat(littleEndian(fieldPrime), littleEndian(fieldPrime + 1n))
      .map((r) => {
        const s = (challenge(r, publicKey, message) * scalarOf(seed)) % groupOrder
        const signature = concatBytes(r, littleEndian(s))
        const expected = noble.ed25519Verify(signature, message, publicKey)
        expect(provider.ed25519Verify(signature, message, publicKey)).toBe(expected)
        return expected
      })
    // Eight points; x = 0 with a sign, and y not below the prime, are no encodings.
    expect(verdicts.filter(Boolean)).toHaveLength(8)
  })
}

const kem = (provider: CryptoProvider): void => {
  test('ML-KEM-768: keys, encapsulation and decapsulation, honest and bent', () => {
    const bit = integer({ min: 0, max: 2 * 8 * 2_400 })
    assert(
      property(bytes(64), bytes(32), bit, bit, bit, (seed, randomness, a, b, c) => {
        const pair = noble.mlkem768Keygen(seed)
        expect(provider.mlkem768Keygen(seed)).toEqual(pair)
        const key = bent(pair.encapsulationKey, a)
        expect(outcome(() => provider.mlkem768Encapsulate(key, randomness))).toEqual(
          outcome(() => noble.mlkem768Encapsulate(key, randomness)),
        )
        const { ciphertext } = noble.mlkem768Encapsulate(pair.encapsulationKey, randomness)
        const [dk, ct] = [bent(pair.decapsulationKey, b), bent(ciphertext, c)]
        expect(outcome(() => provider.mlkem768Decapsulate(dk, ct))).toEqual(
          outcome(() => noble.mlkem768Decapsulate(dk, ct)),
        )
      }),
      { numRuns: 40 },
    )
  })

  test('ML-KEM-768: wrong lengths', () => {
    const pair = noble.mlkem768Keygen(new Uint8Array(64))
    const ciphertext = new Uint8Array(1_088)
    for (const length of [0, 1, 31, 33, 63, 65, 1_087, 1_089, 1_183, 1_185, 2_399, 2_401]) {
      const odd = new Uint8Array(length)
      const calls = (of: CryptoProvider): unknown[] =>
        [
          () => of.mlkem768Keygen(odd),
          () => of.mlkem768Encapsulate(odd, new Uint8Array(32)),
          () => of.mlkem768Encapsulate(pair.encapsulationKey, odd),
          () => of.mlkem768Decapsulate(odd, ciphertext),
          () => of.mlkem768Decapsulate(pair.decapsulationKey, odd),
        ].map(outcome)
      expect(calls(provider), `${length}`).toEqual(calls(noble))
      expect(passesModulusCheck(odd)).toBe(false)
    }
  })

  test('ML-KEM-768: coefficients not below 3,329 (FIPS 203 section 7.2), and keys whose hash is right (7.3)', () => {
    const random = seededRandom(4)
    const pair = noble.mlkem768Keygen(random(64))
    for (const coefficient of [3_328, 3_329, 3_330, 4_095]) {
      for (const at of [0, 1, 255, 256, 767]) {
        // Two coefficients of 12 bits in three bytes.
        const [key, place] = [pair.encapsulationKey.slice(), Math.floor(at / 2) * 3]
        if (at % 2 === 0) {
          key[place] = coefficient & 0xff
          key[place + 1] = ((key[place + 1] as number) & 0xf0) | (coefficient >> 8)
        } else {
          key[place + 1] = ((key[place + 1] as number) & 0x0f) | ((coefficient & 0xf) << 4)
          key[place + 2] = coefficient >> 4
        }
        const m = random(32)
        const result = outcome(() => provider.mlkem768Encapsulate(key, m))
        expect(result).toEqual(outcome(() => noble.mlkem768Encapsulate(key, m)))
        expect(result === 'key').toBe(coefficient >= 3_329)
        expect(passesModulusCheck(key)).toBe(result !== 'key')
      }
    }
    // A key made of chance, coefficients over the modulus among it, passes where the hash of its middle is right.
    for (let i = 0; i < 5; i++) {
      const [dk, ciphertext] = [random(2_400), random(1_088)]
      expect(outcome(() => provider.mlkem768Decapsulate(dk, ciphertext))).toBe('key')
      expect(outcome(() => noble.mlkem768Decapsulate(dk, ciphertext))).toBe('key')
      dk.set(sha3_256(dk.subarray(1_152, 2_336)), 2_336)
      expect(provider.mlkem768Decapsulate(dk, ciphertext)).toEqual(noble.mlkem768Decapsulate(dk, ciphertext))
    }
  })
}

const ciphers = (provider: CryptoProvider): void => {
  const variants = [
    ['chacha20poly1305Seal', 'chacha20poly1305Open', 12],
    ['xchacha20poly1305Seal', 'xchacha20poly1305Open', 24],
  ] as const

  test.each(variants)('%s: all lengths from 0 to 300 of data and associated data', (seal, open, nonceBytes) => {
    const random = seededRandom(5)
    const [key, nonce, long] = [random(32), random(nonceBytes), random(300)]
    for (let length = 0; length <= 300; length++) {
      for (const other of [0, 1, 16, 300 - length, length]) {
        const [data, associated] = [long.subarray(0, length), long.subarray(300 - other)]
        const sealed = provider[seal](key, nonce, data, associated)
        expect(sealed, `${length}, ${other}`).toEqual(noble[seal](key, nonce, data, associated))
        expect(provider[open](key, nonce, sealed, associated), `${length}, ${other}`).toEqual(data)
      }
    }
  })

  test.each(variants)('%s: odd lengths of keys, bent data', (seal, open, nonceBytes) => {
    const input = tuple(about(32), about(nonceBytes), bytes(0, 300), bytes(0, 300), integer({ min: 0, max: 3_000 }))
    assert(
      property(input, ([key, nonce, data, associated, bit]) => {
        const expected = outcome(() => noble[seal](key, nonce, data, associated))
        expect(outcome(() => provider[seal](key, nonce, data, associated))).toEqual(expected)
        const sealed = bent(expected instanceof Uint8Array ? expected : data, bit)
        for (const given of [sealed, data]) {
          expect(outcome(() => provider[open](key, nonce, given, associated))).toEqual(
            outcome(() => noble[open](key, nonce, given, associated)),
          )
        }
      }),
      { numRuns: 200 },
    )
  })

  test.each(variants)('%s: up to the scratch region and past it', (seal, open, nonceBytes) => {
    const random = seededRandom(6)
    const [key, nonce] = [random(32), random(nonceBytes)]
    for (const length of [65_536, maxInputBytes - 16, maxInputBytes, maxInputBytes + 1, 2 * maxInputBytes]) {
      const data = new Uint8Array(length).fill(length & 0xff)
      const sealed = provider[seal](key, nonce, data, nonce)
      expect(noble.sha256(sealed)).toEqual(noble.sha256(noble[seal](key, nonce, data, nonce)))
      expect(noble.sha256(provider[open](key, nonce, sealed, nonce))).toEqual(noble.sha256(data))
      expect(outcome(() => provider[open](key, nonce, bent(sealed, 8 * length), nonce))).toBe('authentication')
    }
  })
}

const hashes = (provider: CryptoProvider): void => {
  test('hashes, HMAC and HKDF: random inputs and lengths', () => {
    assert(
      property(bytes(0, 300), bytes(0, 300), bytes(0, 300), integer({ min: 0, max: 8_170 }), (a, b, c, length) => {
        expect(provider.sha256(a)).toEqual(noble.sha256(a))
        expect(provider.sha512(a)).toEqual(noble.sha512(a))
        expect(provider.hmacSha256(a, b)).toEqual(noble.hmacSha256(a, b))
        expect(provider.hmacSha256Pair(a, b, c)).toEqual(noble.hmacSha256Pair(a, b, c))
        expect(outcome(() => provider.hkdfSha256(a, b, c, length))).toEqual(
          outcome(() => noble.hkdfSha256(a, b, c, length)),
        )
      }),
      { numRuns: 200 },
    )
    for (const length of [0, 1, 31, 32, 33, 8_159, 8_160, 8_161]) {
      const run = (of: CryptoProvider) =>
        outcome(() => of.hkdfSha256(fromHex('00'), fromHex(''), fromHex('02'), length))
      expect(run(provider), `${length}`).toEqual(run(noble))
    }
  })

  test('hashes, HMAC and HKDF: up to the scratch region and past it', () => {
    const small = Uint8Array.of(1, 2, 3)
    for (const length of [65_536, maxInputBytes - 8_160, maxInputBytes - 3, maxInputBytes, maxInputBytes + 1]) {
      const long = new Uint8Array(length).fill(length & 0xff)
      expect(provider.sha512(long)).toEqual(noble.sha512(long))
      expect(provider.hmacSha256(small, long)).toEqual(noble.hmacSha256(small, long))
      expect(provider.hmacSha256Pair(long, small, small)).toEqual(noble.hmacSha256Pair(long, small, small))
      expect(provider.hkdfSha256(long, small, small, 8_160)).toEqual(noble.hkdfSha256(long, small, small, 8_160))
    }
    const seed = new Uint8Array(32)
    for (const length of [maxInputBytes, maxInputBytes + 1]) {
      const long = new Uint8Array(length)
      const signature = provider.ed25519Sign(seed, long)
      expect(signature).toEqual(noble.ed25519Sign(seed, long))
      expect(provider.ed25519Verify(signature, long, provider.ed25519PublicKey(seed))).toBe(true)
    }
  })
}

/** Holds a provider to noble: the same outputs, the same refusals. */
export const sameAsNoble = (provider: CryptoProvider): void => {
  describe('the same as noble', () => {
    curves(provider)
    oddSignatures(provider)
    kem(provider)
    ciphers(provider)
    hashes(provider)
  })
}
