import { assert, boolean, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { encodeCanonical } from '../wire/codec.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { decodeEnvelope, encodeEnvelope, envelopeId, paddedBodyLength, type Envelope } from './envelope.ts'
import { paddedLength } from './padding.ts'

const example: Envelope = {
  kind: 'session',
  salt: new Uint8Array(16).fill(1),
  header: new Uint8Array(81).fill(2),
  ciphertext: new Uint8Array(100).fill(3),
}
const prekey: Envelope = { ...example, kind: 'prekey', handshake: new Uint8Array(1_300).fill(4) }
const map = (entries: readonly (readonly [number, number | Uint8Array])[]) => encodeCanonical(new Map(entries))

describe('envelope', () => {
  test('comes back the same', () => {
    for (const value of [example, prekey]) expect(decodeEnvelope(encodeEnvelope(value))).toEqual(value)
  })

  test('a newer version or kind asks for an update, before anything else is looked at', () => {
    expect(refusal(() => decodeEnvelope(map([[0, 2]])))).toBe('version')
    expect(
      refusal(() =>
        decodeEnvelope(
          map([
            [0, 2],
            [9, example.salt],
          ]),
        ),
      ),
    ).toBe('version')
    expect(
      refusal(() =>
        decodeEnvelope(
          map([
            [0, 1],
            [1, 2],
            [7, example.salt],
          ]),
        ),
      ),
    ).toBe('version')
  })

  test('anything else is malformed', () => {
    const { salt, header, ciphertext } = example
    const whole = [
      [0, 1],
      [1, 1],
      [2, salt],
      [3, header],
      [4, ciphertext],
    ] as const
    expect(decodeEnvelope(map(whole))).toEqual(example)
    expect(refusal(() => decodeEnvelope(map([...whole, [6, salt]])))).toBe('malformed')
    expect(refusal(() => decodeEnvelope(map([...whole, [5, salt]])))).toBe('malformed')
    expect(refusal(() => decodeEnvelope(map(whole.slice(0, 4))))).toBe('malformed')
    expect(
      refusal(() =>
        decodeEnvelope(
          map([
            [0, 1],
            [1, salt],
          ]),
        ),
      ),
    ).toBe('malformed')
    expect(refusal(() => decodeEnvelope(encodeCanonical([1, 1])))).toBe('malformed')
    expect(refusal(() => decodeEnvelope(new Uint8Array(0)))).toBe('malformed')
    expect(refusal(() => encodeEnvelope({ ...example, kind: 'prekey' }))).toBe('malformed')
    expect(refusal(() => encodeEnvelope({ ...prekey, kind: 'session' }))).toBe('malformed')
  })

  test('64 KiB is the limit, checked before decoding', () => {
    expect(refusal(() => decodeEnvelope(new Uint8Array(65_537)))).toBe('limit')
    expect(refusal(() => encodeEnvelope({ ...example, ciphertext: new Uint8Array(65_500) }))).toBe('limit')
  })

  test('the id is the start of its SHA-256', () => {
    const bytes = encodeEnvelope(example)
    expect(envelopeId(bytes)).toEqual(noble.sha256(bytes).slice(0, 16))
  })
})

test('with its padded body, an envelope is exactly one bucket long', () => {
  const contentLength = integer({ min: 0, max: 60_000 })
  const headerLength = integer({ min: 81, max: 2_400 })
  assert(
    property(contentLength, headerLength, boolean(), (length, headerBytes, isPrekey) => {
      const parts = { ...(isPrekey ? prekey : example), header: new Uint8Array(headerBytes) }
      const body = paddedBodyLength(length, parts)
      expect(body).toBeGreaterThan(length)
      const total = encodeEnvelope({ ...parts, ciphertext: new Uint8Array(body + 16) }).length
      expect(paddedLength(total)).toBe(total)
      // Not more than one bucket above the least it could be.
      const least = encodeEnvelope({ ...parts, ciphertext: new Uint8Array(length + 17) }).length
      expect(total).toBeLessThanOrEqual(paddedLength(paddedLength(least) + 1))
    }),
    { numRuns: 2_000 },
  )
})

test('every content length from 0 to 600 finds its bucket', () => {
  for (let length = 0; length <= 600; length++) {
    const body = paddedBodyLength(length, example)
    const total = encodeEnvelope({ ...example, ciphertext: new Uint8Array(body + 16) }).length
    if (paddedLength(total) !== total) expect.fail(`content of ${length} bytes: envelope of ${total}`)
  }
})
