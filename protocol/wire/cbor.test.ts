import { decode as peerDecode, encode as peerEncode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, fromHex, toHex } from './bytes.ts'
import { decodeCanonical, encodeCanonical, type CborValue } from './cbor.ts'
import { ProtocolError } from './error.ts'
import { refusalInFull } from './refusal.fixture.ts'
import { repeats } from './repeats.fixture.ts'

const key = fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 70_000 }), fc.maxSafeNat())
const { value } = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 6 },
    fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat()),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value')),
    fc
      .uniqueArray(fc.tuple(key, tie('value')), { selector: ([k]) => k })
      .map((entries) => new Map(entries.sort(([a], [b]) => a - b))),
  ),
}))

describe('RFC 8949 appendix A, the values of our subset', () => {
  test.each<[string, CborValue]>([
    ['00', 0],
    ['01', 1],
    ['0a', 10],
    ['17', 23],
    ['1818', 24],
    ['1819', 25],
    ['1864', 100],
    ['1903e8', 1_000],
    ['1a000f4240', 1_000_000],
    ['1b000000e8d4a51000', 1_000_000_000_000],
    ['f4', false],
    ['f5', true],
    ['f6', null],
    ['40', new Uint8Array(0)],
    ['4401020304', Uint8Array.of(1, 2, 3, 4)],
    ['60', ''],
    ['6161', 'a'],
    ['6449455446', 'IETF'],
    ['62225c', '"\\'],
    ['62c3bc', 'ü'],
    ['63e6b0b4', '水'],
    ['64f0908591', '\u{10151}'],
    ['80', []],
    ['83010203', [1, 2, 3]],
    ['8301820203820405', [1, [2, 3], [4, 5]]],
    ['98190102030405060708090a0b0c0d0e0f101112131415161718181819', Array.from({ length: 25 }, (_, i) => i + 1)],
    ['a0', new Map()],
    [
      'a201020304',
      new Map([
        [1, 2],
        [3, 4],
      ]),
    ],
  ])('%s', (hex, expected) => {
    expect(decodeCanonical(fromHex(hex))).toEqual(expected)
    expect(toHex(encodeCanonical(expected))).toBe(hex)
  })

  test('integer boundaries', () => {
    for (const n of [23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      expect(encodeCanonical(n)).toEqual(peerEncode(n))
      expect(decodeCanonical(encodeCanonical(n))).toBe(n)
    }
  })
})

describe('refused', () => {
  const otherType = 'negative integer, tag, float or other simple value'

  test.each([
    ['nothing', '', 'ends early'],
    ['bytes after the end', '0000', 'bytes after the end'],
    ['integer in two bytes that fits one', '1817', 'integer longer than needed'],
    ['integer in three bytes that fits two', '1900ff', 'integer longer than needed'],
    ['integer in five bytes that fits three', '1a0000ffff', 'integer longer than needed'],
    ['integer in nine bytes that fits five', '1b00000000ffffffff', 'integer longer than needed'],
    ['length longer than needed', '580101', 'integer longer than needed'],
    ['integer of 2^53', '1b0020000000000000', 'integer over 2^53 - 1'],
    ['integer of 2^64 - 1', '1bffffffffffffffff', 'integer over 2^53 - 1'],
    ['negative integer', '20', otherType],
    ['half float that is an integer', 'f93c00', otherType],
    ['single float', 'fa3f800000', otherType],
    ['double float', 'fb3ff0000000000000', otherType],
    ['minus zero', 'f98000', otherType],
    ['not a number', 'f97e00', otherType],
    ['undefined', 'f7', otherType],
    ['simple value', 'e0', otherType],
    ['simple value in two bytes', 'f814', otherType],
    ['tag', 'c100', otherType],
    ['tagged set', 'd9010280', otherType],
    ['indefinite bytes', '5f4100ff', 'indefinite or reserved length'],
    ['indefinite text', '7f6161ff', 'indefinite or reserved length'],
    ['indefinite array', '9f01ff', 'indefinite or reserved length'],
    ['indefinite map', 'bf0101ff', 'indefinite or reserved length'],
    ['break alone', 'ff', otherType],
    ['reserved length', '1c', 'indefinite or reserved length'],
    ['key twice', 'a201010101', 'map keys are not ascending'],
    ['keys descending', 'a202010101', 'map keys are not ascending'],
    ['text key', 'a1616101', 'map key is not an unsigned integer'],
    ['__proto__ key', 'a1695f5f70726f746f5f5fa0', 'map key is not an unsigned integer'],
    ['byte string key', 'a1410001', 'map key is not an unsigned integer'],
    ['float key', 'a1f9000001', 'map key is not an unsigned integer'],
    ['key without value', 'a101', 'ends early'],
    ['array that ends early', '8301', 'ends early'],
    ['bytes that end early', '4200', 'ends early'],
    ['bytes claim 2^53 - 1', '5b001fffffffffffff', 'ends early'],
    ['array claims 2^32 - 1', '9affffffff', 'ends early'],
    ['map claims 2^32 - 1', 'baffffffff', 'ends early'],
    // Refused before an element is looked at: each takes a byte at least, in a map two.
    ['array of three in two bytes', '83ff01', 'ends early'],
    ['map of two in three bytes', 'a2ff0101', 'ends early'],
    ['map of one in two bytes', 'a1ff01', 'map key is not an unsigned integer'],
  ])('%s', (_, hex, reason) => {
    expect(refusalInFull(() => decodeCanonical(fromHex(hex)))).toBe(`malformed: not canonical CBOR: ${reason}`)
  })

  test.each([
    ['lone continuation byte', '6180'],
    ['overlong UTF-8', '62c080'],
    ['surrogate in UTF-8', '63eda080'],
    ['UTF-8 cut off', '61c3'],
  ])('%s', (_, hex) => {
    expect(refusalInFull(() => decodeCanonical(fromHex(hex)))).toBe('malformed: text is not valid UTF-8')
  })

  test('a byte order mark is kept as the character it is', () => {
    expect(decodeCanonical(fromHex('63efbbbf'))).toBe('\uFEFF')
  })

  test.each([
    ['arrays', 0x81],
    ['maps', 0xa1],
  ])('nesting bomb of %s', (_name, head) => {
    const bomb = Uint8Array.from({ length: 250_000 }, (_, i) => (head === 0x81 || i % 2 === 0 ? head : 0))
    // Refused for its depth, not at the end of the stack or of the input.
    expect(refusalInFull(() => decodeCanonical(bomb))).toBe('malformed: not canonical CBOR: nested too deeply')
  })

  test.each<[string, (inner: CborValue) => CborValue]>([
    ['arrays', (inner) => [inner]],
    ['maps', (inner) => new Map([[0, inner]])],
  ])('nesting of 16 %s is the last that is encoded and the last that is decoded', (_, around) => {
    let deepest: CborValue = 0
    for (let depth = 0; depth < 16; depth++) deepest = around(deepest)
    expect(decodeCanonical(encodeCanonical(deepest))).toEqual(deepest)
    const tooDeep = 'malformed: not canonical CBOR: nested too deeply'
    expect(refusalInFull(() => encodeCanonical(around(deepest)))).toBe(tooDeep)
    const head = encodeCanonical(around(0)).slice(0, -1)
    expect(refusalInFull(() => decodeCanonical(concatBytes(head, encodeCanonical(deepest))))).toBe(tooDeep)
  })

  test('a quarter of a megabyte of empty maps', () => {
    const count = 250_000
    const bomb = new Uint8Array(count + 5).fill(0xa0)
    bomb.set([0x9a, count >> 24, (count >> 16) & 255, (count >> 8) & 255, count & 255])
    expect(refusalInFull(() => decodeCanonical(bomb))).toBe('malformed: not canonical CBOR: too many values')
  })

  test('65,536 values are the most written', () => {
    const list = (length: number): number[] => Array.from({ length }, () => 0)
    expect(decodeCanonical(encodeCanonical(list(65_535)))).toHaveLength(65_535)
    const tooMany = 'malformed: not canonical CBOR: too many values'
    expect(refusalInFull(() => encodeCanonical(list(65_536)))).toBe(tooMany)
  })

  test('65,536 values are the last accepted', () => {
    // The array is a value as well.
    const zeros = (head: string, elements: number) => concatBytes(fromHex(head), new Uint8Array(elements))
    expect(decodeCanonical(zeros('99ffff', 65_535))).toHaveLength(65_535)
    const tooMany = 'malformed: not canonical CBOR: too many values'
    expect(refusalInFull(() => decodeCanonical(zeros('9a00010000', 65_536)))).toBe(tooMany)
  })

  test.each<[string, CborValue, string]>([
    ['negative number', -1, 'number is not an unsigned integer'],
    ['minus zero', -0, 'number is not an unsigned integer'],
    ['fraction', 0.5, 'number is not an unsigned integer'],
    ['not a number', Number.NaN, 'number is not an unsigned integer'],
    ['over 2^53 - 1', 2 ** 53, 'number is not an unsigned integer'],
    ['lone surrogate', 'a\uD800', 'text has a lone surrogate'],
    [
      'keys descending',
      new Map([
        [2, 0],
        [1, 0],
      ]),
      'map keys are not ascending',
    ],
    ['negative key', new Map([[-1, 0]]), 'number is not an unsigned integer'],
    ['undefined', undefined as unknown as CborValue, 'value of another type'],
    ['a plain object', {} as unknown as CborValue, 'value of another type'],
  ])('is not encoded: %s', (_, v, reason) => {
    expect(refusalInFull(() => encodeCanonical(v))).toBe(`malformed: not canonical CBOR: ${reason}`)
  })
})

test('what is decoded does not share memory with its input', () => {
  const input = encodeCanonical([Uint8Array.of(1, 2, 3)])
  const [content] = decodeCanonical(input) as [Uint8Array]
  input.fill(0)
  expect(content).toEqual(Uint8Array.of(1, 2, 3))
  expect(content.buffer.byteLength).toBe(3)
})

test('whatever is encoded is decoded to the same, and a general library agrees both ways', () => {
  fc.assert(
    fc.property(value, (v) => {
      const bytes = encodeCanonical(v)
      expect(decodeCanonical(bytes)).toEqual(v)
      expect(toHex(bytes)).toBe(toHex(peerEncode(v)))
      expect(peerDecode(bytes, { strict: true, useMaps: true })).toEqual(v)
    }),
    { numRuns: repeats(500) },
  )
})

test('whatever is accepted encodes to the same bytes', () => {
  const mutated = fc.tuple(value, fc.nat(), fc.nat({ max: 255 })).map(([v, at, byte]) => {
    const bytes = encodeCanonical(v)
    bytes[at % bytes.length] = byte
    return bytes
  })
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 12 })), (bytes) => {
      let decoded: CborValue
      try {
        decoded = decodeCanonical(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
        return
      }
      expect(toHex(encodeCanonical(decoded))).toBe(toHex(bytes))
    }),
    { numRuns: repeats(5_000) },
  )
})

test('every sequence of one or two bytes is refused or canonical', () => {
  let accepted = 0
  const check = (bytes: Uint8Array): void => {
    let decoded: CborValue
    try {
      decoded = decodeCanonical(bytes)
    } catch (error) {
      if (error instanceof ProtocolError) return
      throw error
    }
    accepted++
    if (toHex(encodeCanonical(decoded)) !== toHex(bytes)) throw new Error(`not canonical: ${toHex(bytes)}`)
  }
  for (let a = 0; a < 256; a++) {
    check(Uint8Array.of(a))
    for (let b = 0; b < 256; b++) check(Uint8Array.of(a, b))
  }
  expect(accepted).toBeGreaterThan(500)
})
