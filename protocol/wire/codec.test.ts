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
  nullable,
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

const inner = struct('inner', { flag: [0, boolean], note: [1, optional(text(5))] })
const sample = struct('sample', {
  id: [0, bytes(4)],
  count: [1, uint(1_000)],
  data: [3, optional(bytesUpTo(8, 1))],
  kind: [5, oneOf({ left: 1, right: 2 })],
  list: [300, array(nested(inner), 3)],
  maybe: [70_000, nullable(uint())],
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
    maybe: fc.option(fc.maxSafeNat()),
  },
  { requiredKeys: ['id', 'count', 'kind', 'list', 'maybe'] },
)

const good: Sample = { id: Uint8Array.of(1, 2, 3, 4), count: 7, kind: 'left', list: [{ flag: true }], maybe: null }

/** The error's code, and the part of the message that names the field. */
const refusal = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.code} ${error.message.split(':')[0] ?? ''}`
    throw error
  }
  return 'accepted'
}

const fieldRefusal = <T>(field: Field<T>, value: unknown): string => {
  const reading = refusal(() => field.read(value, 'f'))
  // A field refuses to write what it would refuse to read.
  expect(refusal(() => field.write(value as T, 'f'))).toBe(reading)
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
    expect(toHex(sample.encode(good))).toBe('a50044010203040107050119012c81a100f51a00011170f6')
  })

  const withKey = (key: number, value: CborValue | undefined): Uint8Array => {
    const map = sample.toMap(good)
    if (value === undefined) map.delete(key)
    else map.set(key, value)
    return encodeCanonical(new Map([...map].sort(([a], [b]) => a - b)))
  }

  test.each<[string, Uint8Array, string]>([
    ['missing field', withKey(1, undefined), 'malformed sample.count'],
    ['unknown key', withKey(2, 0), 'malformed sample'],
    ['optional field of another type', withKey(3, 'x'), 'malformed sample.data'],
    ['null for optional', withKey(3, null), 'malformed sample.data'],
    ['unknown number', withKey(5, 3), 'malformed sample.kind'],
    ['over the limit', withKey(1, 1_001), 'limit sample.count'],
    [
      'too many elements',
      withKey(
        300,
        [1, 2, 3, 4].map(() => inner.toMap({ flag: true })),
      ),
      'limit sample.list',
    ],
    ['element of another type', withKey(300, [1]), 'malformed inner'],
    ['not a map', encodeCanonical([1]), 'malformed sample'],
    ['bytes after the end', Uint8Array.of(...sample.encode(good), 0), 'malformed not canonical CBOR'],
  ])('refuses: %s', (_, data, expected) => {
    expect(refusal(() => sample.decode(data))).toBe(expected)
  })

  test('does not write what it would not read', () => {
    expect(refusal(() => sample.encode({ ...good, id: new Uint8Array(3) }))).toBe('malformed sample.id')
    expect(refusal(() => sample.encode({ ...good, count: 1_001 }))).toBe('limit sample.count')
    expect(refusal(() => sample.encode({ ...good, kind: '__proto__' as 'left' }))).toBe('malformed sample.kind')
    expect(refusal(() => sample.encode({ ...good, kind: 'toString' as 'left' }))).toBe('malformed sample.kind')
    expect(refusal(() => sample.encode({ ...good, count: undefined as unknown as number }))).toBe(
      'malformed sample.count',
    )
  })

  test('an empty struct is an empty map', () => {
    expect(toHex(struct('nothing', {}).encode({}))).toBe('a0')
  })
})

describe('fields', () => {
  test.each<[string, Field<never>, unknown, string]>([
    ['bytes of another length', bytes(4), new Uint8Array(5), 'malformed f'],
    ['bytes for text', text(4), new Uint8Array(4), 'malformed f'],
    ['bytes under the minimum', bytesUpTo(4, 2), new Uint8Array(1), 'malformed f'],
    ['bytes over the limit', bytesUpTo(4), new Uint8Array(5), 'limit f'],
    ['negative', uint(), -1, 'malformed f'],
    ['fraction', uint(), 1.5, 'malformed f'],
    ['over the maximum', uint(10), 11, 'limit f'],
    ['number as text', uint(), '1', 'malformed f'],
    ['text too long', text(4), 'abcde', 'limit f'],
    ['lone high surrogate', text(4), '\uD83D', 'malformed f'],
    ['lone low surrogate', utf8(4), 'a\uDE00', 'malformed f'],
    ['empty where text is needed', utf8(4), '', 'malformed f'],
    ['UTF-8 too long', utf8(4), 'äöü', 'limit f'],
    ['a number for true', boolean, 1, 'malformed f'],
    ['array under the minimum', array(uint(), 3, 1), [], 'malformed f'],
    ['array over the limit', array(uint(), 3), [1, 2, 3, 4], 'limit f'],
    ['an object for an array', array(uint(), 3), { length: 1 }, 'malformed f'],
    ['address without slash', multiaddr(20), 'ip4/1.2.3.4', 'malformed f'],
    ['address with a space', multiaddr(20), '/dns4/a b', 'malformed f'],
    ['address with a control character', multiaddr(20), '/dns4/a\n', 'malformed f'],
    ['address beyond ASCII', multiaddr(20), '/dns4/ä', 'malformed f'],
    ['address too long', multiaddr(5), '/dns4/', 'limit f'],
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
      'version second',
    ],
    ['no version', new Map([[1, 5]]), 'malformed second.version'],
    ['not a map', 2, 'malformed second.version'],
    [
      'unknown key',
      new Map([
        [0, 2],
        [1, 5],
        [2, 0],
      ]),
      'malformed second',
    ],
  ])('refuses: %s', (_, value, expected) => {
    expect(refusal(() => second.decode(encodeCanonical(value)))).toBe(expected)
  })
})

test('refine holds in both directions', () => {
  const even = refine(struct('even', { value: [0, uint()] }), ({ value }) => {
    if (value % 2 !== 0) throw new ProtocolError('malformed', 'even: odd')
  })
  expect(even.decode(even.encode({ value: 2 }))).toEqual({ value: 2 })
  expect(refusal(() => even.encode({ value: 1 }))).toBe('malformed even')
  expect(refusal(() => even.decode(encodeCanonical(new Map([[0, 1]]))))).toBe('malformed even')
})
