import { decodeUtf8, encodeUtf8 } from './bytes.ts'
import { ProtocolError } from './error.ts'

/**
 * The part of CBOR (RFC 8949) that Sotto speaks, in its deterministic encoding (section 4.2.1): unsigned integers up to
 * 2^53 - 1, byte strings, text strings, arrays, maps with unsigned integer keys, false, true and null. Everything has
 * exactly one encoding: no indefinite lengths, no integer longer than needed, no floats, no tags, strict UTF-8, map keys
 * ascending. Both directions are a few lines because the subset is small; a general library accepts more than one
 * encoding of the same value (`spec/rejected.md`).
 */
export type CborValue = number | boolean | null | string | Uint8Array | CborValue[] | Map<number, CborValue>

/** 16: three times the depth of the deepest struct; recursion stays far from the end of any stack. */
const maxDepth = 16

/**
 * 65,536 values per decoding: the largest struct, an account log, has some 5,000. Bounds the memory that a small
 * hostile input can claim (an empty map is one byte on the wire and some 200 in memory).
 */
const maxValues = 65_536

const unsigned = 0
const byteString = 2
const textString = 3
const list = 4
const map = 5
const simpleFalse = 0xf4
const simpleTrue = 0xf5
const simpleNull = 0xf6

const malformed = (reason: string): never => {
  throw new ProtocolError('malformed', `not canonical CBOR: ${reason}`)
}

const headLength = (argument: number): number => {
  if (argument < 24) return 1
  if (argument < 0x100) return 2
  if (argument < 0x1_0000) return 3
  return argument < 0x1_0000_0000 ? 5 : 9
}

const checkUnsigned = (value: number): number =>
  Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)
    ? value
    : malformed('number is not an unsigned integer')

/** What the first pass finds: texts, encoded and in order, for the second one, and how many values there are. */
interface Measured {
  readonly texts: Uint8Array[]
  values: number
}

/** Length of the encoding. */
const measure = (value: CborValue, found: Measured, depth: number): number => {
  if (depth > maxDepth) malformed('nested too deeply')
  if (++found.values > maxValues) malformed('too many values')
  if (typeof value === 'number') return headLength(checkUnsigned(value))
  if (value === null || typeof value === 'boolean') return 1
  if (typeof value === 'string') {
    if (!value.isWellFormed()) malformed('text has a lone surrogate')
    const encoded = encodeUtf8(value)
    found.texts.push(encoded)
    return headLength(encoded.length) + encoded.length
  }
  if (value instanceof Uint8Array) return headLength(value.length) + value.length
  if (Array.isArray(value)) {
    let length = headLength(value.length)
    for (const element of value) length += measure(element, found, depth + 1)
    return length
  }
  if (!(value instanceof Map)) return malformed('value of another type')
  let length = headLength(value.size)
  let previous = -1
  for (const [key, element] of value) {
    if (checkUnsigned(key) <= previous) malformed('map keys are not ascending')
    previous = key
    length += headLength(key) + measure(element, found, depth + 1)
  }
  return length
}

class Writer {
  readonly out: Uint8Array
  private offset = 0
  private readonly texts: readonly Uint8Array[]
  private nextText = 0

  constructor(length: number, texts: readonly Uint8Array[]) {
    this.out = new Uint8Array(length)
    this.texts = texts
  }

  private head(major: number, argument: number): void {
    const length = headLength(argument)
    const type = major << 5
    if (length === 1) {
      this.out[this.offset++] = type | argument
      return
    }
    this.out[this.offset++] = type | (length === 2 ? 24 : length === 3 ? 25 : length === 5 ? 26 : 27)
    let rest = argument
    for (let i = this.offset + length - 2; i >= this.offset; i--) {
      this.out[i] = rest % 256
      rest = Math.floor(rest / 256)
    }
    this.offset += length - 1
  }

  private raw(major: number, content: Uint8Array): void {
    this.head(major, content.length)
    this.out.set(content, this.offset)
    this.offset += content.length
  }

  write(value: CborValue): void {
    if (typeof value === 'number') this.head(unsigned, value)
    else if (value === null) this.out[this.offset++] = simpleNull
    else if (typeof value === 'boolean') this.out[this.offset++] = value ? simpleTrue : simpleFalse
    else if (typeof value === 'string') this.raw(textString, this.texts[this.nextText++] as Uint8Array)
    else if (value instanceof Uint8Array) this.raw(byteString, value)
    else if (Array.isArray(value)) {
      this.head(list, value.length)
      for (const element of value) this.write(element)
    } else {
      this.head(map, value.size)
      for (const [key, element] of value) {
        this.head(unsigned, key)
        this.write(element)
      }
    }
  }
}

/**
 * The one encoding of `value`.
 * @throws ProtocolError `malformed` for negative or fractional numbers, lone surrogates, map keys out of order, nesting over
 * 16, or more than 65,536 values.
 */
export const encodeCanonical = (value: CborValue): Uint8Array => {
  const found: Measured = { texts: [], values: 0 }
  const writer = new Writer(measure(value, found, 0), found.texts)
  writer.write(value)
  return writer.out
}

class Reader {
  private readonly data: Uint8Array
  private offset = 0
  private values = 0

  constructor(data: Uint8Array) {
    this.data = data
  }

  get consumed(): boolean {
    return this.offset === this.data.length
  }

  private byte(): number {
    return this.data[this.offset++] ?? malformed('ends early')
  }

  /** The argument of a head (RFC 8949 section 3), refused unless it is at its shortest. */
  private argument(short: number): number {
    if (short < 24) return short
    if (short > 27) malformed('indefinite or reserved length')
    const length = 1 << (short - 24)
    let value = 0
    for (let i = 0; i < length; i++) value = value * 256 + this.byte()
    if (value > Number.MAX_SAFE_INTEGER) malformed('integer over 2^53 - 1')
    if (headLength(value) !== length + 1) malformed('integer longer than needed')
    return value
  }

  /** A copy, so that nothing decoded aliases or keeps alive the buffer it came in. */
  private raw(length: number): Uint8Array {
    if (length > this.data.length - this.offset) malformed('ends early')
    this.offset += length
    return this.data.slice(this.offset - length, this.offset)
  }

  /** Every element takes at least `size` bytes, so an honest count never exceeds what is left. */
  private count(elements: number, size: number): number {
    return elements * size > this.data.length - this.offset ? malformed('ends early') : elements
  }

  private list(length: number, depth: number): CborValue[] {
    const out: CborValue[] = []
    for (let i = this.count(length, 1); i > 0; i--) out.push(this.read(depth + 1))
    return out
  }

  private map(size: number, depth: number): Map<number, CborValue> {
    const out = new Map<number, CborValue>()
    let previous = -1
    for (let i = this.count(size, 2); i > 0; i--) {
      const initial = this.byte()
      if (initial >> 5 !== unsigned) malformed('map key is not an unsigned integer')
      const key = this.argument(initial & 31)
      if (key <= previous) malformed('map keys are not ascending')
      previous = key
      out.set(key, this.read(depth + 1))
    }
    return out
  }

  read(depth: number): CborValue {
    if (depth > maxDepth) malformed('nested too deeply')
    if (++this.values > maxValues) malformed('too many values')
    const initial = this.byte()
    if (initial === simpleNull) return null
    if (initial === simpleFalse || initial === simpleTrue) return initial === simpleTrue
    const short = initial & 31
    switch (initial >> 5) {
      case unsigned:
        return this.argument(short)
      case byteString:
        return this.raw(this.argument(short))
      case textString:
        return decodeUtf8(this.raw(this.argument(short)))
      case list:
        return this.list(this.argument(short), depth)
      case map:
        return this.map(this.argument(short), depth)
      default:
        return malformed('negative integer, tag, float or other simple value')
    }
  }
}

/**
 * Decodes one value and consumes every byte. Maps come back as `Map`, so no key can reach a prototype.
 * @throws ProtocolError `malformed` for anything `encodeCanonical` would not have written.
 */
export const decodeCanonical = (data: Uint8Array): CborValue => {
  const reader = new Reader(data)
  const value = reader.read(0)
  return reader.consumed ? value : malformed('bytes after the end')
}
