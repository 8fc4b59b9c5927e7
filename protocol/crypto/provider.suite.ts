import { describe, expect, test } from 'vitest'
import { concatBytes, equalBytes, fromHex, toHex } from '../wire/bytes.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import type { CryptoProvider } from './provider.ts'
import { readVectors, wycheproof, type WycheproofTest } from './vectors.fixture.ts'

/** What a test would say of itself when it fails. */
const nameOf = ({ tcId, comment = '' }: WycheproofTest): string => `tcId ${tcId} ${comment}`

const fieldPrime = 2n ** 255n - 19n
const littleEndian = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes.toReversed())}`)

const keyAgreement = (provider: CryptoProvider): void => {
  test('X25519: Wycheproof; low order and non-canonical keys refused', () => {
    let refused = 0
    for (const t of wycheproof<{ public: string; private: string; shared: string }>('x25519')) {
      const publicKey = fromHex(t.public)
      const isRefused = littleEndian(publicKey) >= fieldPrime || /^0*$/.test(t.shared)
      const run = () => provider.x25519(fromHex(t.private), publicKey)
      if (isRefused) {
        expect(refusal(run), nameOf(t)).toBe('key')
        expect(t.result, nameOf(t)).toBe('acceptable')
        refused++
      } else expect(toHex(run()), nameOf(t)).toBe(t.shared)
    }
    expect(refused).toBeGreaterThan(20)
  })

  test('X25519: RFC 7748 section 5.2, iterated once and a thousand times', () => {
    interface Iterated {
      rfc7748_iterated: { start: string; after1: string; after1000: string }
    }
    const { start, after1, after1000 } = readVectors<Iterated>('rfc_small.json').rfc7748_iterated
    let [scalar, u] = [fromHex(start), fromHex(start)]
    for (let i = 1; i <= 1_000; i++) {
      ;[scalar, u] = [provider.x25519(scalar, u), scalar]
      if (i === 1) expect(toHex(scalar)).toBe(after1)
    }
    expect(toHex(scalar)).toBe(after1000)
  })

  test('X25519: public keys, and nineteen encodings at the top of the field refused', () => {
    const random = seededRandom(1)
    const [a, b] = [random(32), random(32)]
    const shared = provider.x25519(a, provider.x25519PublicKey(b))
    expect(equalBytes(shared, provider.x25519(b, provider.x25519PublicKey(a)))).toBe(true)
    for (let last = 0xed; last <= 0xff; last++) {
      const u = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? last : i === 31 ? 0x7f : 0xff))
      expect(refusal(() => provider.x25519(a, u))).toBe('key')
    }
    const withBit255 = provider.x25519PublicKey(b)
    withBit255[31] = (withBit255[31] as number) | 0x80
    expect(refusal(() => provider.x25519(a, withBit255))).toBe('key')
    expect(refusal(() => provider.x25519(a.subarray(1), provider.x25519PublicKey(b)))).toBe('key')
  })
}

const oddMessage = Uint8Array.of(1, 2, 3)

/**
 * Public key and signature that satisfy the equation of RFC 8032 section 5.1.7 only with its cofactor: made with a point of
 * order 8 added, which only the owner of the secret can do. Implementations differ on them, ours must not.
 */
const oddSignatures = {
  'a signature whose R has a part of small order': [
    'bf512469e7f9b766bf5c75e47e84fda3ec887bd24d79b9165c19e01a88fe5f72',
    '938045fb0ca81173203ca2208ef617dad803f1b07975b653ac8dddae7b11527135ced5c76ecdacfc1633c4f6a977c7d1ec7a8268712d7fecdef193cd65e1460b',
  ],
  'a public key with a part of small order': [
    'a00c3955e6dba6ae0b0cf366795b20a55f50b61b1d9a08a49a743d2831426ced',
    '465a022ab19f37d3586489ae08808b23d39844fd321735d6573c089b12202d9a01281850e286bea4bdbd3a3f057cfd37855b3f43ca451d55bc4235ad02b38804',
  ],
  'an R of order 8': [
    'bf512469e7f9b766bf5c75e47e84fda3ec887bd24d79b9165c19e01a88fe5f72',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc055e6166446d37ddb1c04babf36d8b08afa9c02d51f44222e31d8bffb324e99306',
  ],
}

const signatures = (provider: CryptoProvider): void => {
  test('Ed25519: Wycheproof, strictly', () => {
    for (const t of wycheproof<{ sig: string; msg: string }, { publicKey: { pk: string } }>('ed25519')) {
      const isValid = provider.ed25519Verify(fromHex(t.sig), fromHex(t.msg), fromHex(t.publicKey.pk))
      expect(isValid, nameOf(t)).toBe(t.result === 'valid')
    }
  })

  test('Ed25519: signs what it verifies, and malformed input is only false', () => {
    const seed = seededRandom(2)(32)
    const [message, publicKey] = [Uint8Array.of(1, 2, 3), provider.ed25519PublicKey(seed)]
    const signature = provider.ed25519Sign(seed, message)
    expect(provider.ed25519Verify(signature, message, publicKey)).toBe(true)
    expect(provider.ed25519Verify(signature, Uint8Array.of(1, 2), publicKey)).toBe(false)
    expect(provider.ed25519Verify(signature.subarray(1), message, publicKey)).toBe(false)
    expect(provider.ed25519Verify(signature, message, publicKey.subarray(1))).toBe(false)
    // y = 1: the neutral element, under which anything would verify.
    const neutral = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))
    expect(provider.ed25519Verify(concatBytes(neutral, new Uint8Array(32)), message, neutral)).toBe(false)
  })

  test.each(Object.entries(oddSignatures))('Ed25519: %s is judged with the cofactor, by everybody', (_, odd) => {
    const [publicKey, signature] = odd.map((hex) => fromHex(hex)) as [Uint8Array, Uint8Array]
    expect(provider.ed25519Verify(signature, oddMessage, publicKey)).toBe(true)
    expect(provider.ed25519Verify(signature, oddMessage.subarray(1), publicKey)).toBe(false)
  })
}

const encapsulation = (provider: CryptoProvider): void => {
  test('ML-KEM-768: Wycheproof, keys from seeds and decapsulation', () => {
    for (const t of wycheproof<{ seed: string; ek: string; dk: string }>('mlkem_768_keygen_seed')) {
      const pair = provider.mlkem768Keygen(fromHex(t.seed))
      expect(toHex(pair.encapsulationKey), nameOf(t)).toBe(t.ek)
      expect(toHex(pair.decapsulationKey), nameOf(t)).toBe(t.dk)
    }
    for (const t of wycheproof<{ seed: string; ek?: string; c: string; K: string }>('mlkem_768')) {
      const pair = () => provider.mlkem768Keygen(fromHex(t.seed))
      const run = () => provider.mlkem768Decapsulate(pair().decapsulationKey, fromHex(t.c))
      if (t.result === 'valid') expect(toHex(run()), nameOf(t)).toBe(t.K)
      else expect(refusal(run), nameOf(t)).toBe('key')
      // Absent where the seed itself is of a wrong length.
      if (t.ek !== undefined) expect(toHex(pair().encapsulationKey), nameOf(t)).toBe(t.ek)
    }
    for (const t of wycheproof<{ dk: string; c: string; K: string }>('mlkem_768_semi_expanded_decaps')) {
      const run = () => provider.mlkem768Decapsulate(fromHex(t.dk), fromHex(t.c))
      if (t.result === 'valid') expect(toHex(run()), nameOf(t)).toBe(t.K)
      else expect(refusal(run), nameOf(t)).toBe('key')
    }
  })

  test('ML-KEM-768: Wycheproof, encapsulation', () => {
    for (const t of wycheproof<{ ek: string; m: string; c: string; K: string }>('mlkem_768_encaps')) {
      const run = () => provider.mlkem768Encapsulate(fromHex(t.ek), fromHex(t.m))
      if (t.result === 'invalid') {
        expect(refusal(run), nameOf(t)).toBe('key')
        continue
      }
      expect(toHex(run().ciphertext), nameOf(t)).toBe(t.c)
      expect(toHex(run().sharedSecret), nameOf(t)).toBe(t.K)
    }
  })
}

interface AeadTest {
  key: string
  iv: string
  aad: string
  msg: string
  ct: string
  tag: string
}

const aeads = (provider: CryptoProvider): void => {
  const ciphers = [
    ['chacha20_poly1305', provider.chacha20poly1305Seal, provider.chacha20poly1305Open],
    ['xchacha20_poly1305', provider.xchacha20poly1305Seal, provider.xchacha20poly1305Open],
  ] as const
  test.each(ciphers)('%s: Wycheproof', (file, seal, open) => {
    for (const t of wycheproof<AeadTest>(file)) {
      const [key, nonce, data, sealed] = [fromHex(t.key), fromHex(t.iv), fromHex(t.aad), fromHex(t.ct + t.tag)]
      if (t.result === 'valid') {
        expect(toHex(seal(key, nonce, fromHex(t.msg), data)), nameOf(t)).toBe(t.ct + t.tag)
        expect(toHex(open(key, nonce, sealed, data)), nameOf(t)).toBe(t.msg)
      } else {
        const isNonceSize = t.flags?.includes('InvalidNonceSize')
        expect(
          refusal(() => open(key, nonce, sealed, data)),
          nameOf(t),
        ).toBe(isNonceSize ? 'key' : 'authentication')
      }
    }
  })

  test('sealed data shorter than a tag does not open', () => {
    const [key, none] = [new Uint8Array(32), new Uint8Array(0)]
    expect(refusal(() => provider.chacha20poly1305Open(key, new Uint8Array(12), new Uint8Array(15), none))).toBe(
      'authentication',
    )
  })
}

const hashes = (provider: CryptoProvider): void => {
  test('HMAC-SHA256: Wycheproof, alone and in pairs', () => {
    for (const t of wycheproof<{ key: string; msg: string; tag: string }>('hmac_sha256')) {
      const [key, message] = [fromHex(t.key), fromHex(t.msg)]
      const tag = toHex(provider.hmacSha256(key, message))
      expect(tag.slice(0, t.tag.length) === t.tag, nameOf(t)).toBe(t.result === 'valid')
      const other = Uint8Array.of(7)
      const [first, second] = provider.hmacSha256Pair(key, message, other)
      expect([toHex(first), toHex(second)]).toEqual([tag, toHex(provider.hmacSha256(key, other))])
    }
  })

  test('HKDF-SHA256: Wycheproof', () => {
    for (const t of wycheproof<{ ikm: string; salt: string; info: string; size: number; okm: string }>('hkdf_sha256')) {
      const run = () => provider.hkdfSha256(fromHex(t.ikm), fromHex(t.salt), fromHex(t.info), t.size)
      if (t.result === 'valid') expect(toHex(run()), nameOf(t)).toBe(t.okm)
      else expect(refusal(run), nameOf(t)).toBe('limit')
    }
  })

  test('an absent HKDF salt is 32 zero bytes (RFC 5869 section 2.2)', () => {
    const ikm = seededRandom(3)(40)
    const [none, zeros] = [new Uint8Array(0), new Uint8Array(32)]
    expect(provider.hkdfSha256(ikm, none, none, 50)).toEqual(provider.hkdfSha256(ikm, zeros, none, 50))
  })
}

/** What every crypto provider must pass before the protocol may stand on it. */
export const cryptoProviderSuite = (name: string, provider: CryptoProvider): void => {
  describe(`crypto provider: ${name}`, () => {
    keyAgreement(provider)
    signatures(provider)
    encapsulation(provider)
    aeads(provider)
    hashes(provider)
  })
}
