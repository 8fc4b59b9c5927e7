import { assert, boolean, constantFrom, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { refusal, refusalInFull } from '../wire/refusal.fixture.ts'
import { repeats } from '../wire/repeats.fixture.ts'
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
      const newer = 'version: envelope: made by a newer version of Sotto'
      expect(refusalInFull(() => decodeEnvelope(bytes.with(0, head)))).toBe(newer)
      expect(refusalInFull(() => decodeEnvelope(Uint8Array.of(head)))).toBe(newer)
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

  test.each<[string, number | undefined, Uint8Array]>([
    ['it is empty', undefined, new Uint8Array(0)],
    ['not an envelope of this version', 0xa5, encodeEnvelope(example)],
    ['it ends before its handshake', undefined, encodeEnvelope(prekey).subarray(0, 26)],
    ['the handshake has an impossible length', undefined, encodeEnvelope(prekey).with(25, 0).with(26, 0)],
    ['it ends in its handshake', undefined, encodeEnvelope(prekey).subarray(0, 27 + 1_299)],
    ['it is shorter than its parts', undefined, encodeEnvelope(prekey).subarray(0, 27 + 1_300)],
    ['it is shorter than its parts', undefined, encodeEnvelope(example).subarray(0, 1 + 24 + 56 + 15)],
  ])('says why it cannot be read: %s', (reason, head, data) => {
    const bytes = head === undefined ? data : data.with(0, head)
    expect(refusalInFull(() => decodeEnvelope(bytes))).toBe(`malformed: envelope: ${reason}`)
  })

  test.each<[string, Envelope]>([
    ['a handshake belongs into kind prekey, and only there', { ...example, kind: 'prekey' }],
    ['a handshake belongs into kind prekey, and only there', { ...prekey, kind: 'session' }],
    ['expected a nonce of 24 bytes', { ...example, nonce: new Uint8Array(16) }],
    ['the body is shorter than its tag', { ...example, ciphertext: new Uint8Array(15) }],
    ['the handshake has an impossible length', { ...prekey, handshake: new Uint8Array(0) }],
    ['the handshake has an impossible length', { ...prekey, handshake: new Uint8Array(2_049) }],
  ])('parts that no envelope has are not encoded: %s', (reason, value) => {
    expect(refusalInFull(() => encodeEnvelope(value))).toBe(`malformed: envelope: ${reason}`)
  })

  test('a header of a length that none has is not encoded', () => {
    const reason = 'malformed: ratchet header: no header has this length'
    expect(refusalInFull(() => encodeEnvelope(withHeader(81)))).toBe(reason)
  })

  test('64 KiB is the limit, checked before decoding', () => {
    const over = 'limit: envelope: over the limit of 64 KiB'
    expect(refusalInFull(() => decodeEnvelope(new Uint8Array(65_537)))).toBe(over)
    const largest = { ...example, ciphertext: new Uint8Array(65_455) }
    expect(encodeEnvelope(largest)).toHaveLength(65_536)
    expect(decodeEnvelope(encodeEnvelope(largest))).toEqual(largest)
    expect(refusalInFull(() => encodeEnvelope({ ...example, ciphertext: new Uint8Array(65_456) }))).toBe(over)
  })

  test('content that would need a bucket over 64 KiB is refused', () => {
    const fits = (length: number) => refusalInFull(() => paddedBodyLength(length, example))
    // 98 bytes: everything around the content, and the end mark of the padding.
    expect(fits(65_536 - 98)).toBe('accepted')
    expect(fits(65_536 - 97)).toBe('limit: content does not fit into an envelope of 64 KiB')
  })

  test('an envelope in the middle of a larger buffer is read as well', () => {
    const bytes = encodeEnvelope(prekey)
    const buffer = new Uint8Array(bytes.length + 7)
    buffer.set(bytes, 7)
    expect(decodeEnvelope(buffer.subarray(7))).toEqual(prekey)
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
    { numRuns: repeats(500) },
  )
})

test('every content length from 0 to 600 finds its bucket', () => {
  for (let length = 0; length <= 600; length++) {
    const body = paddedBodyLength(length, example)
    const total = encodeEnvelope({ ...example, ciphertext: new Uint8Array(body + 16) }).length
    if (paddedLength(total) !== total) expect.fail(`content of ${length} bytes: envelope of ${total}`)
  }
})
