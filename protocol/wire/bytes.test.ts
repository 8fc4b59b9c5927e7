import fc from 'fast-check'
import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import {
  compareBytes,
  concatBytes,
  decodeUtf8,
  encodeUtf8,
  equalBytes,
  fromBase64Url,
  fromHex,
  readUint32,
  toBase64Url,
  toHex,
  wipe,
  writeUint32,
} from './bytes.ts'
import { ProtocolError } from './error.ts'
import { refusal, refusalInFull } from './refusal.fixture.ts'
import { repeats } from './repeats.fixture.ts'
import { wellFormedText } from './text.fixture.ts'

const data = fc.uint8Array({ maxLength: 100 })

test('hexadecimal and base64url agree with Node and come back', () => {
  fc.assert(
    fc.property(data, (bytes) => {
      expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
      expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'))
      expect(fromHex(toHex(bytes))).toEqual(bytes)
      expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes)
    }),
  )
})

test('every accepted base64url text is the only one of its bytes', () => {
  const characters = fc.constantFrom(...Array.from('ABCDEFGHabcdefgh0123456789-_'))
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
      let bytes: Uint8Array
      try {
        bytes = fromBase64Url(text)
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
        return
      }
      expect(toBase64Url(bytes)).toBe(text)
    }),
    { numRuns: repeats(2_000) },
  )
})

test.each(['A', 'AAAAA', 'AB', 'AAB', 'AA==', 'A+', 'A/', 'A A', 'Ä', '💡'])('not base64url: %s', (text) => {
  expect(refusal(() => fromBase64Url(text))).toBe('malformed')
})

test('base64url says what it stumbled over', () => {
  expect(refusalInFull(() => fromBase64Url('A+'))).toBe('malformed: text is not base64url')
  for (const text of ['A', 'AB', 'AAB', 'AAAAA'])
    expect(refusalInFull(() => fromBase64Url(text))).toBe('malformed: base64url text has spare bits')
})

test.each(['0', 'abc', '0x', 'zz', ' 00', '00\n'])('not hexadecimal: %s', (text) => {
  expect(refusalInFull(() => fromHex(text))).toBe('malformed: text is not hexadecimal')
})

test('UTF-8 comes back, and nothing but UTF-8 is accepted', () => {
  fc.assert(
    fc.property(wellFormedText(50), (text) => {
      expect(decodeUtf8(encodeUtf8(text))).toBe(text)
    }),
  )
  for (const hex of ['80', 'c080', 'eda080', 'f5808080', 'c3'])
    expect(refusalInFull(() => decodeUtf8(fromHex(hex)))).toBe('malformed: text is not valid UTF-8')
})

test('comparison and concatenation agree with Node', () => {
  fc.assert(
    fc.property(data, data, (a, b) => {
      expect(equalBytes(a, b)).toBe(Buffer.from(a).equals(b))
      expect(equalBytes(a, a.slice())).toBe(true)
      expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b))
      expect(concatBytes(a, b)).toEqual(new Uint8Array(Buffer.concat([a, b])))
    }),
  )
})

test('order goes by the first byte that differs, then by length', () => {
  const ascending = ['', '00', '0000', '0001', '01', '0102', '010203', '0103', 'ff'].map(fromHex)
  ascending.forEach((a, i) => {
    ascending.forEach((b, j) => expect(Math.sign(compareBytes(a, b))).toBe(Math.sign(i - j)))
  })
})

test('a refusal of text keeps its cause', () => {
  const refused = (): string => decodeUtf8(Uint8Array.of(0xff))
  expect(refused).toThrow(expect.objectContaining({ name: 'ProtocolError', cause: expect.any(TypeError) }))
})

test('wipe overwrites', () => {
  const secret = Uint8Array.of(1, 2, 3)
  wipe(secret)
  expect(secret).toEqual(new Uint8Array(3))
})

test('numbers of 32 bits, big-endian, wherever they stand', () => {
  const out = new Uint8Array(6).fill(9)
  writeUint32(out, 1, 0xf1_02_83_04)
  expect([...out]).toEqual([9, 0xf1, 2, 0x83, 4, 9])
  expect(readUint32(out, 1)).toBe(0xf1_02_83_04)
  for (const value of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    writeUint32(out, 2, value)
    expect(readUint32(out, 2)).toBe(value)
  }
})
