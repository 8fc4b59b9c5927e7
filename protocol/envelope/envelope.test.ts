import { assert, boolean, constantFrom, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { decodeEnvelope, encodeEnvelope, envelopeId, paddedBodyLength, type Envelope } from './envelope.ts'
import { paddedLength } from './padding.ts'

const example: Envelope = {
  kind: 'session',
  nonce: new Uint8Array(24).fill(1),
  header: new Uint8Array(56).fill(2),
  ciphertext: new Uint8Array(100).fill(3),
}
const prekey: Envelope = { ...example, kind: 'prekey', handshake: new Uint8Array(1_300).fill(4) }
const withHeader = (length: number) => ({ ...example, header: new Uint8Array(length).fill(5) })

describe('envelope', () => {
  test('comes back the same, with every kind of header', () => {
    const all = [example, prekey, ...[1_144, 1_240, 2_328].map(withHeader)]
    for (const value of all) expect(decodeEnvelope(encodeEnvelope(value))).toEqual(value)
  })

  test('its layout: head, nonce, handshake with its length, header, body', () => {
    expect([...encodeEnvelope(example)]).toEqual([0x24, ...example.nonce, ...example.header, ...example.ciphertext])
    const { nonce, header, ciphertext, handshake = [] } = prekey
    expect([...encodeEnvelope(prekey)]).toEqual([0x20, ...nonce, 0x05, 0x14, ...handshake, ...header, ...ciphertext])
    expect([1_144, 1_240, 2_328].map((length) => encodeEnvelope(withHeader(length))[0])).toEqual([0x25, 0x26, 0x27])
  })

  test('97 bytes stand around the content of a later message', () => {
    expect(encodeEnvelope({ ...example, ciphertext: new Uint8Array(16) })).toHaveLength(97)
  })

  test('a newer version or kind asks for an update, whatever follows', () => {
    const bytes = encodeEnvelope(example)
    for (const head of [0x34, 0x90, 0xb0, 0xf7, 0x28, 0x2c, 0x2b]) {
      expect(refusal(() => decodeEnvelope(bytes.with(0, head)))).toBe('version')
      expect(refusal(() => decodeEnvelope(Uint8Array.of(head)))).toBe('version')
    }
    // Version 1 was CBOR: a map of five or six.
    for (const head of [0x00, 0x14, 0xa5, 0xa6]) {
      expect(refusal(() => decodeEnvelope(bytes.with(0, head)))).toBe('malformed')
    }
  })

  test('anything else is malformed', () => {
    const least = encodeEnvelope({ ...example, ciphertext: new Uint8Array(16) })
    for (let length = 0; length < least.length; length++) {
      expect(refusal(() => decodeEnvelope(least.subarray(0, length)))).toBe('malformed')
    }
    const opening = encodeEnvelope({ ...prekey, handshake: Uint8Array.of(7), ciphertext: new Uint8Array(16) })
    expect(decodeEnvelope(opening).handshake).toEqual(Uint8Array.of(7))
    for (let length = 0; length < opening.length; length++) {
      expect(refusal(() => decodeEnvelope(opening.subarray(0, length)))).toBe('malformed')
    }
    // A handshake of no bytes, of more than 2 KiB, of more than there is.
    const large = encodeEnvelope({ ...prekey, handshake: new Uint8Array(2_048) })
    expect(refusal(() => decodeEnvelope(large))).toBe('accepted')
    for (const [high, low] of [
      [0, 0],
      [8, 1],
      [7, 255],
    ] as const) {
      const code = high === 7 ? 'accepted' : 'malformed'
      expect(refusal(() => decodeEnvelope(large.with(25, high).with(26, low)))).toBe(code)
    }
    expect(refusal(() => decodeEnvelope(opening.with(25, 8)))).toBe('malformed')
  })

  test('parts that no envelope has are not encoded', () => {
    const refusals = [
      { ...example, kind: 'prekey' as const },
      { ...prekey, kind: 'session' as const },
      { ...example, nonce: new Uint8Array(16) },
      { ...example, ciphertext: new Uint8Array(15) },
      { ...prekey, handshake: new Uint8Array(0) },
      { ...prekey, handshake: new Uint8Array(2_049) },
      withHeader(81),
    ].map((value) => refusal(() => encodeEnvelope(value)))
    expect(new Set(refusals)).toEqual(new Set(['malformed']))
  })

  test('64 KiB is the limit, checked before decoding', () => {
    expect(refusal(() => decodeEnvelope(new Uint8Array(65_537)))).toBe('limit')
    expect(encodeEnvelope({ ...example, ciphertext: new Uint8Array(65_455) })).toHaveLength(65_536)
    expect(refusal(() => encodeEnvelope({ ...example, ciphertext: new Uint8Array(65_456) }))).toBe('limit')
  })

  test('the id is the start of its SHA-256', () => {
    const bytes = encodeEnvelope(example)
    expect(envelopeId(bytes)).toEqual(noble.sha256(bytes).slice(0, 16))
  })
})

test('with its padded body, an envelope is exactly one bucket long', () => {
  const contentLength = integer({ min: 0, max: 60_000 })
  const headerLength = constantFrom(56, 1_144, 1_240, 2_328)
  assert(
    property(contentLength, headerLength, boolean(), (length, headerBytes, isPrekey) => {
      const parts = { ...(isPrekey ? prekey : example), header: new Uint8Array(headerBytes) }
      const body = paddedBodyLength(length, parts)
      expect(body).toBeGreaterThan(length)
      const total = encodeEnvelope({ ...parts, ciphertext: new Uint8Array(body + 16) }).length
      const least = encodeEnvelope({ ...parts, ciphertext: new Uint8Array(length + 17) }).length
      expect(total).toBe(paddedLength(least))
    }),
    { numRuns: 500 },
  )
})

test('every content length from 0 to 600 finds its bucket', () => {
  for (let length = 0; length <= 600; length++) {
    const body = paddedBodyLength(length, example)
    const total = encodeEnvelope({ ...example, ciphertext: new Uint8Array(body + 16) }).length
    if (paddedLength(total) !== total) expect.fail(`content of ${length} bytes: envelope of ${total}`)
  }
})
