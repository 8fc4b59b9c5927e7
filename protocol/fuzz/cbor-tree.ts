import { concatBytes } from '../wire/bytes.ts'

/**
 * CBOR as a tree that may also be written wrongly: lengths that lie, heads longer than needed, keys out of order. Byte strings
 * that hold CBOR themselves (bodies of log entries, bodies of contents) are trees inside the tree.
 */
export interface Item {
  /** Major type, 0 to 7 (RFC 8949 section 3.1). */
  readonly major: number
  /** Argument of the head; for strings, arrays and maps it is computed on writing unless `lies`. */
  readonly argument: number
  /** Width of the argument in bytes: 0 (inside the initial byte), 1, 2, 4 or 8; undefined: as short as it can be. */
  readonly width?: number
  readonly lies?: boolean
  /** Of a string that holds no CBOR. */
  readonly content?: Uint8Array
  /** Of an array; of a map keys and values in turn; of a byte string the one item in it. */
  readonly children?: readonly Item[]
}

const byteString = 2
const textString = 3
const map = 5

/** 16, as in the decoder: what nests deeper is left alone as bytes. */
const maxDepth = 16

class LooseReader {
  offset = 0
  private readonly data: Uint8Array
  constructor(data: Uint8Array) {
    this.data = data
  }

  private argument(short: number): number | undefined {
    if (short < 24) return short
    if (short > 27) return undefined
    const width = 1 << (short - 24)
    if (this.offset + width > this.data.length) return undefined
    let value = 0
    for (let i = 0; i < width; i++) value = value * 256 + (this.data[this.offset++] ?? 0)
    return value
  }

  private string(major: number, argument: number, depth: number): Item | undefined {
    if (argument > this.data.length - this.offset) return undefined
    const content = this.data.slice(this.offset, this.offset + argument)
    this.offset += argument
    const inner = major === byteString ? readTree(content, depth + 1) : undefined
    const isStruct = inner?.children !== undefined && inner.children.length > 0
    return isStruct ? { major, argument, children: [inner] } : { major, argument, content }
  }

  read(depth: number): Item | undefined {
    const initial = this.data[this.offset++]
    if (initial === undefined || depth > maxDepth) return undefined
    const major = initial >> 5
    const argument = this.argument(initial & 31)
    if (argument === undefined) return undefined
    if (major === byteString || major === textString) return this.string(major, argument, depth)
    if (major < textString || major > map) return { major, argument }
    const count = major === map ? 2 * argument : argument
    if (count > this.data.length - this.offset) return undefined
    const children: Item[] = []
    for (let i = 0; i < count; i++) {
      const child = this.read(depth + 1)
      if (child === undefined) return undefined
      children.push(child)
    }
    return { major, argument, children }
  }
}

/** The tree of exactly these bytes; undefined where they are no CBOR of definite lengths. */
export const readTree = (data: Uint8Array, depth = 0): Item | undefined => {
  const reader = new LooseReader(data)
  const item = reader.read(depth)
  return reader.offset === data.length ? item : undefined
}

const shortest = (argument: number): number =>
  argument < 24 ? 0 : argument < 0x100 ? 1 : argument < 0x1_0000 ? 2 : argument < 0x1_0000_0000 ? 4 : 8

const head = (major: number, argument: number, width: number): Uint8Array => {
  const type = major << 5
  if (width === 0) return Uint8Array.of(type | (argument % 24))
  const out = new Uint8Array(1 + width)
  out[0] = type | (24 + Math.log2(width))
  let rest = argument
  for (let i = width; i > 0; i--) {
    out[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return out
}

export const writeTree = ({ major, argument, width, lies, content, children }: Item): Uint8Array => {
  const inner = content ?? concatBytes(...(children ?? []).map(writeTree))
  const honest =
    major === byteString || major === textString
      ? inner.length
      : children === undefined
        ? argument
        : Math.floor(children.length / (major === map ? 2 : 1))
  const written = lies === true ? argument : honest
  return concatBytes(head(major, written, width ?? shortest(written)), inner)
}
