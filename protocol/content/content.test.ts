import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeUtf8, toHex } from '../wire/bytes.ts'
import { decodeCanonical, encodeCanonical, type CborValue } from '../wire/cbor.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { arbitraryContent } from './content.fixture.ts'
import { conversationIdOf, decodeContent, encodeContent, type Content } from './content.ts'

const random = seededRandom(1)
const text: Content = {
  messageId: random(16),
  conversationId: random(16),
  sentAtMs: 1_767_225_600_000,
  sequence: 1,
  head: random(32),
  body: { kind: 'text', text: 'hello' },
}
const control: Content = { ...text, sequence: 0 }

test('any content comes back, and encodes to the same bytes again', () => {
  fc.assert(
    fc.property(arbitraryContent, (content) => {
      const bytes = encodeContent(content)
      expect(decodeContent(bytes)).toEqual(content)
      expect(toHex(encodeContent(decodeContent(bytes)))).toBe(toHex(bytes))
    }),
    { numRuns: 500 },
  )
})

/** The encoding of `content` with one key of the outer map replaced. */
const withKey = (content: Content, key: number, value: CborValue): Uint8Array => {
  const map = decodeCanonical(encodeContent(content)) as Map<number, CborValue>
  map.set(key, value)
  return encodeCanonical(new Map([...map].sort(([a], [b]) => a - b)))
}
const bodyOf = (code: number, raw: Uint8Array): CborValue =>
  new Map<number, CborValue>([
    [0, code],
    [1, raw],
  ])

test('a body of a kind nobody knows yet is kept byte for byte', () => {
  const raw = Uint8Array.of(0xff, 0, 1, 2)
  const bytes = withKey(text, 7, bodyOf(77, raw))
  const content = decodeContent(bytes)
  expect(content.body).toEqual({ kind: 'unknown', code: 77, raw })
  expect(encodeContent(content)).toEqual(bytes)
})

describe('refused, in both directions', () => {
  const long = 'x'.repeat(16 * 1_024 + 1)
  test.each<[string, Content, string]>([
    ['a text over 16 KiB', { ...text, body: { kind: 'text', text: long } }, 'limit'],
    ['a text over 16 KiB in UTF-8', { ...text, body: { kind: 'text', text: 'ä'.repeat(8 * 1_024 + 1) } }, 'limit'],
    ['an empty text', { ...text, body: { kind: 'text', text: '' } }, 'malformed'],
    ['a lone surrogate', { ...text, body: { kind: 'text', text: 'a\uD83D' } }, 'malformed'],
    ['a text without sequence number', { ...text, sequence: 0 }, 'malformed'],
    [
      'a receipt with a sequence number',
      { ...text, body: { kind: 'receipt', delivered: [random(16)], read: [] } },
      'malformed',
    ],
    ['a receipt for nothing', { ...control, body: { kind: 'receipt', delivered: [], read: [] } }, 'malformed'],
    [
      'a receipt for more than 500',
      { ...control, body: { kind: 'receipt', delivered: Array.from({ length: 501 }, () => random(16)), read: [] } },
      'limit',
    ],
    [
      'a receipt for half an id',
      { ...control, body: { kind: 'receipt', delivered: [random(15)], read: [] } },
      'malformed',
    ],
    ['a repair with a sequence number', { ...text, body: { kind: 'repair', envelopeIds: [random(16)] } }, 'malformed'],
    ['a repair of nothing', { ...control, body: { kind: 'repair', envelopeIds: [] } }, 'malformed'],
    [
      'a repair of more than 200',
      { ...control, body: { kind: 'repair', envelopeIds: Array.from({ length: 201 }, () => random(16)) } },
      'limit',
    ],
    ['a profile body without profile', { ...control, body: { kind: 'profile' } }, 'malformed'],
    ['a lanes body without lanes', { ...control, body: { kind: 'lanes' } }, 'malformed'],
    ['a known kind as unknown', { ...text, body: { kind: 'unknown', code: 0, raw: encodeUtf8('x') } }, 'malformed'],
    ['a short message id', { ...text, messageId: random(15) }, 'malformed'],
    ['an account log over 64 KiB', { ...text, opening: { log: new Uint8Array(65_537) } }, 'limit'],
    ['an empty list of extensions', { ...text, extensions: [] }, 'malformed'],
  ])('%s', (_, content, code) => {
    expect(refusal(() => encodeContent(content))).toBe(code)
  })

  test('the longest text is accepted', () => {
    const body = { kind: 'text' as const, text: long.slice(1) }
    expect(decodeContent(encodeContent({ ...text, body })).body).toEqual(body)
  })

  test.each<[string, Uint8Array, string]>([
    ['a text body that is no text', withKey(text, 7, bodyOf(0, Uint8Array.of(0xa0))), 'malformed'],
    [
      'a text body with something after it',
      withKey(text, 7, bodyOf(0, Uint8Array.of(0xa1, 0, 0x61, 0x61, 0))),
      'malformed',
    ],
    ['a text with sequence 0', withKey(text, 4, 0), 'malformed'],
    [
      'a profile body with content',
      withKey(
        { ...control, body: { kind: 'profile' }, profile: { name: '' } },
        7,
        bodyOf(2, Uint8Array.of(0xa1, 0, 0)),
      ),
      'malformed',
    ],
    ['a name over the limit', withKey(text, 8, new Map([[0, 'x'.repeat(65)]])), 'limit'],
    ['an unknown field', withKey(text, 12, 0), 'malformed'],
    ['a newer version', withKey(text, 0, 2), 'version'],
  ])('%s on the wire', (_, bytes, code) => {
    expect(refusal(() => decodeContent(bytes))).toBe(code)
  })
})

test('names are clean however they were sent', () => {
  const profile = { name: ' Mallory\u202E\n(you) ' }
  expect(decodeContent(encodeContent({ ...text, profile })).profile).toEqual({ name: 'Mallory (you)' })
  const foreign = withKey(text, 8, new Map([[0, profile.name]]))
  expect(decodeContent(foreign).profile).toEqual({ name: 'Mallory (you)' })
})

describe('conversation id', () => {
  const [a, b, c] = [random(32), random(32), random(32)]

  test('is the same for both, 16 bytes, and leaves its arguments alone', () => {
    const id = conversationIdOf(a, b)
    expect(id).toHaveLength(16)
    expect(conversationIdOf(b, a)).toEqual(id)
  })

  test('differs from every other conversation', () => {
    const ids = [conversationIdOf(a, b), conversationIdOf(a, c), conversationIdOf(b, c), conversationIdOf(a, a)]
    expect(new Set(ids.map(toHex)).size).toBe(4)
  })
})

describe('at both sides of a limit', () => {
  const extension = { code: 7, data: new Uint8Array(0) }
  const lane = { relayKey: random(32), addresses: ['/dns4/a/tcp/1'], mailboxId: random(32), lane: random(32) }
  const extended = (count: number, bytes = 0): Content => ({
    ...text,
    extensions: Array.from({ length: count }, () => ({ ...extension, data: new Uint8Array(bytes) })),
  })
  const laned = (count: number): Content => ({ ...text, lanes: { lanes: Array.from({ length: count }, () => lane) } })
  test.each<[string, Content, Content]>([
    ['64 extensions', extended(64), extended(65)],
    ['4,096 bytes of one', extended(1, 4_096), extended(1, 4_097)],
    ['48 lanes', laned(48), laned(49)],
  ])('%s', (_, most, over) => {
    expect(decodeContent(encodeContent(most))).toEqual(most)
    expect(refusal(() => encodeContent(over))).toBe('limit')
  })

  test('and what was encoded by somebody else', () => {
    const field = (count: number, bytes: number): CborValue =>
      Array.from(
        { length: count },
        () =>
          new Map<number, CborValue>([
            [0, 7],
            [1, new Uint8Array(bytes)],
          ]),
      )
    expect(decodeContent(withKey(text, 11, field(64, 0))).extensions).toHaveLength(64)
    expect(refusal(() => decodeContent(withKey(text, 11, field(65, 0))))).toBe('limit')
    expect(decodeContent(withKey(text, 11, field(1, 4_096))).extensions).toHaveLength(1)
    expect(refusal(() => decodeContent(withKey(text, 11, field(1, 4_097))))).toBe('limit')
    const one = (decodeCanonical(encodeContent(laned(1))) as Map<number, CborValue>).get(9) as Map<number, CborValue[]>
    const lanes = (count: number): CborValue =>
      new Map([[0, Array.from({ length: count }, () => one.get(0)?.[0] ?? 0)]])
    expect(decodeContent(withKey(text, 9, lanes(48))).lanes?.lanes).toHaveLength(48)
    expect(refusal(() => decodeContent(withKey(text, 9, lanes(49))))).toBe('limit')
  })
})
