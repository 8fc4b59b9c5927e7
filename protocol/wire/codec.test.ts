import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeUtf8, toHex } from './bytes.ts'
import { encodeCanonical, type CborValue } from './cbor.ts'
import {
  array,
  boolean,
  bytes,
  bytesUpTo,
  multiaddr,
  nested,
  oneOf,
  optional,
  refine,
  struct,
  text,
  uint,
  utf8,
  versioned,
  type Field,
} from './codec.ts'
import { ProtocolError } from './error.ts'
import { refusalInFull } from './refusal.fixture.ts'

const inner = struct('inner', { flag: [0, boolean], note: [1, optional(text(5))] })
const sample = struct('sample', {
  id: [0, bytes(4)],
  count: [1, uint(1_000)],
  data: [3, optional(bytesUpTo(8, 1))],
  kind: [5, oneOf({ left: 1, right: 2 })],
  list: [300, array(nested(inner), 3)],
  maybe: [70_000, uint()],
})
type Sample = ReturnType<typeof sample.decode>

const arbitrary: fc.Arbitrary<Sample> = fc.record(
  {
    id: fc.uint8Array({ minLength: 4, maxLength: 4 }),
    count: fc.nat({ max: 1_000 }),
    data: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    kind: fc.constantFrom('left', 'right'),
    list: fc.array(fc.record({ flag: fc.boolean(), note: fc.string({ maxLength: 5 }) }, { requiredKeys: ['flag'] }), {
      maxLength: 3,
    }),
    maybe: fc.maxSafeNat(),
  },
  { requiredKeys: ['id', 'count', 'kind', 'list', 'maybe'] },
)

const good: Sample = { id: Uint8Array.of(1, 2, 3, 4), count: 7, kind: 'left', list: [{ flag: true }], maybe: 9 }

const fieldRefusal = <T>(field: Field<T>, value: unknown): string => {
  const reading = refusalInFull(() => field.read(value, 'f'))
  // A field refuses to write what it would refuse to read.
  expect(refusalInFull(() => field.write(value as T, 'f'))).toBe(reading)
  return reading
}

describe('struct', () => {
  test('round trip of any value; accepted bytes encode to themselves', () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        const encoded = sample.encode(value)
        expect(sample.decode(encoded)).toEqual(value)
        expect(sample.encode(sample.decode(encoded))).toEqual(encoded)
      }),
    )
  })

  test('keys are on the wire as given, names are not', () => {
    expect(toHex(sample.encode(good))).toBe('a50044010203040107050119012c81a100f51a0001117009')
  })

  const withKey = (key: number, value: CborValue | undefined): Uint8Array => {
    const map = sample.toMap(good)
    if (value === undefined) map.delete(key)
    else map.set(key, value)
    return encodeCanonical(new Map([...map].sort(([a], [b]) => a - b)))
  }

  test.each<[string, Uint8Array, string]>([
    ['missing field', withKey(1, undefined), 'malformed: sample.count: expected a value'],
    ['unknown key', withKey(2, 0), 'malformed: sample: expected no unknown keys'],
    ['optional field of another type', withKey(3, 'x'), 'malformed: sample.data: expected at least 1 bytes'],
    ['null for optional', withKey(3, null), 'malformed: sample.data: expected at least 1 bytes'],
    ['unknown number', withKey(5, 3), 'malformed: sample.kind: expected a known number'],
    ['over the limit', withKey(1, 1_001), 'limit: sample.count: over the limit of 1000'],
    [
      'too many elements',
      withKey(
        300,
        [1, 2, 3, 4].map(() => inner.toMap({ flag: true })),
      ),
      'limit: sample.list: over the limit of 3 elements',
    ],
    ['element of another type', withKey(300, [1]), 'malformed: inner: expected a map'],
    ['not a map', encodeCanonical([1]), 'malformed: sample: expected a map'],
    [
      'bytes after the end',
      Uint8Array.of(...sample.encode(good), 0),
      'malformed: not canonical CBOR: bytes after the end',
    ],
  ])('refuses: %s', (_, data, expected) => {
    expect(refusalInFull(() => sample.decode(data))).toBe(expected)
  })

  test.each<[string, unknown, string]>([
    ['bytes of another length', { ...good, id: new Uint8Array(3) }, 'malformed: sample.id: expected 4 bytes'],
    ['a number over its limit', { ...good, count: 1_001 }, 'limit: sample.count: over the limit of 1000'],
    ['a name of the prototype', { ...good, kind: '__proto__' }, 'malformed: sample.kind: expected a known name'],
    ['a method of objects', { ...good, kind: 'toString' }, 'malformed: sample.kind: expected a known name'],
    ['a missing value', { ...good, count: undefined }, 'malformed: sample.count: expected an unsigned integer'],
    ['undefined', undefined, 'malformed: sample: expected a struct'],
    ['null', null, 'malformed: sample: expected a struct'],
    ['a struct inside that is none', { ...good, list: [1] }, 'malformed: inner: expected a struct'],
  ])('does not write what it would not read: %s', (_, value, expected) => {
    expect(refusalInFull(() => sample.encode(value as Sample))).toBe(expected)
  })

  test('an empty struct is an empty map', () => {
    expect(toHex(struct('nothing', {}).encode({}))).toBe('a0')
  })
})

describe('fields', () => {
  const noBytes = 'malformed: f: expected 4 bytes'
  const noUint = 'malformed: f: expected an unsigned integer'
  const noText = 'malformed: f: expected well-formed text'
  const noUtf8 = 'malformed: f: expected well-formed, non-empty text'
  const noAddress = 'malformed: f: expected a multiaddr'

  test.each<[string, Field<never>, unknown, string]>([
    ['bytes of another length', bytes(4), new Uint8Array(5), noBytes],
    ['text for bytes', bytes(4), 'abcd', noBytes],
    ['bytes under the minimum', bytesUpTo(4, 2), new Uint8Array(1), 'malformed: f: expected at least 2 bytes'],
    ['an array for bytes', bytesUpTo(4, 2), [1, 2], 'malformed: f: expected at least 2 bytes'],
    ['bytes at the minimum', bytesUpTo(4, 2), new Uint8Array(2), 'accepted'],
    ['bytes at the limit', bytesUpTo(4), new Uint8Array(4), 'accepted'],
    ['bytes over the limit', bytesUpTo(4), new Uint8Array(5), 'limit: f: over the limit of 4 bytes'],
    ['no bytes', bytesUpTo(4), new Uint8Array(0), 'accepted'],
    ['zero', uint(), 0, 'accepted'],
    ['negative', uint(), -1, noUint],
    ['fraction', uint(), 1.5, noUint],
    ['number as text', uint(), '1', noUint],
    ['at the maximum', uint(10), 10, 'accepted'],
    ['over the maximum', uint(10), 11, 'limit: f: over the limit of 10'],
    ['bytes for text', text(4), new Uint8Array(4), noText],
    ['lone high surrogate', text(4), '\uD83D', noText],
    ['text at the limit', text(4), 'äbcd', 'accepted'],
    ['text too long', text(4), 'abcde', 'limit: f: over the limit of 4 characters'],
    ['lone low surrogate', utf8(4), 'a\uDE00', noUtf8],
    ['empty where text is needed', utf8(4), '', noUtf8],
    ['a number where text is needed', utf8(4), 5, noUtf8],
    ['UTF-8 at the limit', utf8(6), 'äöü', 'accepted'],
    ['UTF-8 too long', utf8(5), 'äöü', 'limit: f: over the limit of 5 bytes'],
    ['a number for true', boolean, 1, 'malformed: f: expected a boolean'],
    ['array at the minimum', array(uint(), 3, 1), [1], 'accepted'],
    ['array under the minimum', array(uint(), 3, 1), [], 'malformed: f: expected an array of at least 1 elements'],
    ['array at the limit', array(uint(), 3), [1, 2, 3], 'accepted'],
    ['array over the limit', array(uint(), 3), [1, 2, 3, 4], 'limit: f: over the limit of 3 elements'],
    [
      'an object for an array',
      array(uint(), 3),
      { length: 1 },
      'malformed: f: expected an array of at least 0 elements',
    ],
    ['element of another type', array(uint(), 3), [1, -1], noUint],
    ['address without slash', multiaddr(20), 'ip4/1.2.3.4', noAddress],
    ['address that is a slash', multiaddr(20), '/', noAddress],
    ['address that is bytes', multiaddr(20), encodeUtf8('/dns4/a'), noAddress],
    ['an array that reads like an address', multiaddr(20), ['/dns4/a'], noAddress],
    ['address with a space', multiaddr(20), '/dns4/a b', noAddress],
    ['address with a control character', multiaddr(20), '/dns4/a\n', noAddress],
    ['address beyond ASCII', multiaddr(20), '/dns4/ä', noAddress],
    ['address at the limit', multiaddr(6), '/dns4/', 'accepted'],
    ['address too long', multiaddr(5), '/dns4/', 'limit: f: over the limit of 5 characters'],
  ] as [string, Field<never>, unknown, string][])('%s', (_, field, value, expected) => {
    expect(fieldRefusal(field, value)).toBe(expected)
  })

  test('UTF-8 is counted in bytes', () => {
    const limit = 10
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), (value) => {
        expect(fieldRefusal(utf8(limit), value) === 'accepted').toBe(encodeUtf8(value).length <= limit)
      }),
    )
  })

  test('an accepted address is kept as it is', () => {
    const address = '/ip4/1.2.3.4/udp/8788/webrtc-direct/certhash/uEi_-x/p2p/12D3KooW'
    expect(multiaddr(100).read(address, 'f')).toBe(address)
  })
})

describe('versioned', () => {
  const second = versioned('second', 2, struct('second', { value: [1, uint()] }))

  test('carries its version', () => {
    expect(toHex(second.encode({ value: 5 }))).toBe('a200020105')
    expect(second.decode(second.encode({ value: 5 }))).toEqual({ value: 5 })
  })

  test.each<[string, CborValue, string]>([
    [
      'another version, whatever else it holds',
      new Map<number, CborValue>([
        [0, 3],
        [9, 'new'],
      ]),
      'version: second: made by another version of Sotto',
    ],
    ['no version', new Map([[1, 5]]), 'malformed: second.version: expected a number'],
    ['not a map', 2, 'malformed: second.version: expected a number'],
    [
      'unknown key',
      new Map([
        [0, 2],
        [1, 5],
        [2, 0],
      ]),
      'malformed: second: expected no unknown keys',
    ],
  ])('refuses: %s', (_, value, expected) => {
    expect(refusalInFull(() => second.decode(encodeCanonical(value)))).toBe(expected)
  })
})

test('refine holds in both directions', () => {
  const even = refine(struct('even', { value: [0, uint()] }), ({ value }) => {
    if (value % 2 !== 0) throw new ProtocolError('malformed', 'even: odd')
  })
  expect(even.decode(even.encode({ value: 2 }))).toEqual({ value: 2 })
  expect(refusalInFull(() => even.encode({ value: 1 }))).toBe('malformed: even: odd')
  expect(refusalInFull(() => even.decode(encodeCanonical(new Map([[0, 1]]))))).toBe('malformed: even: odd')
})
