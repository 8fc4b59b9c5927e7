import { decode as decodeCbor, encode as encodeCbor } from 'cborg'
import { ProtocolError } from './error.ts'

/**
 * Deterministic CBOR (RFC 8949 section 4.2.1) with integer-keyed maps, as COSE has them (RFC 9052).
 *
 * A struct is described once, from fields that each check their own shape and size; encoding and strict decoding follow
 * from the description. Decoding refuses indefinite lengths, non-minimal integers, tags, floats, duplicate, unordered or
 * unknown keys and trailing bytes: every struct has exactly one encoding.
 */

/** Anything that can stand in a field once encoded. */
export type CborValue = number | boolean | null | string | Uint8Array | CborValue[] | Map<number, CborValue>

/** How one value is written and read back. `read` throws ProtocolError on anything but the expected shape. */
export interface Field<T> {
  write(value: T, path: string): CborValue
  read(value: unknown, path: string): T
  /** True when the key may be absent; the property is then absent too. */
  readonly optional?: true
}

/** A field together with its integer key in the map. */
export type KeyedField<T> = readonly [key: number, field: Field<T>]

type Shape = Readonly<Record<string, KeyedField<unknown>>>
type FieldValue<K> = K extends readonly [number, Field<infer T>] ? T : never
type OptionalNames<S> = { [N in keyof S]: S[N] extends readonly [number, { readonly optional: true }] ? N : never }[keyof S]

/** The TypeScript type of a struct's shape. */
export type Struct<S> = { -readonly [N in Exclude<keyof S, OptionalNames<S>>]: FieldValue<S[N]> } & {
  -readonly [N in OptionalNames<S>]?: FieldValue<S[N]>
}

const refuse = (path: string, wanted: string): never => {
  throw new ProtocolError('malformed', `${path}: expected ${wanted}`)
}

const exceed = (path: string, limit: string): never => {
  throw new ProtocolError('limit', `${path}: over the limit of ${limit}`)
}

/** A byte string of exactly `length` bytes. */
export const bytes = (length: number): Field<Uint8Array> => {
  const check = (value: unknown, path: string): Uint8Array =>
    value instanceof Uint8Array && value.length === length ? value : refuse(path, `${length} bytes`)
  return { write: check, read: check }
}

/** A byte string of at most `max` bytes (and at least `min`). */
export const bytesUpTo = (max: number, min = 0): Field<Uint8Array> => {
  const check = (value: unknown, path: string): Uint8Array => {
    if (!(value instanceof Uint8Array) || value.length < min) return refuse(path, `at least ${min} bytes`)
    return value.length > max ? exceed(path, `${max} bytes`) : value
  }
  return { write: check, read: check }
}

/** An unsigned integer from 0 to `max` (default 2^53 - 1). */
export const uint = (max: number = Number.MAX_SAFE_INTEGER): Field<number> => {
  const check = (value: unknown, path: string): number => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return refuse(path, 'an unsigned integer')
    return value > max ? exceed(path, `${max}`) : value
  }
  return { write: check, read: check }
}

/** Text of at most `max` UTF-16 code units. Lone surrogates are refused: UTF-8 cannot carry them. */
export const text = (max: number): Field<string> => {
  const check = (value: unknown, path: string): string => {
    if (typeof value !== 'string' || !value.isWellFormed()) return refuse(path, 'well-formed text')
    return value.length > max ? exceed(path, `${max} characters`) : value
  }
  return { write: check, read: check }
}

export const boolean: Field<boolean> = (() => {
  const check = (value: unknown, path: string): boolean => (typeof value === 'boolean' ? value : refuse(path, 'a boolean'))
  return { write: check, read: check }
})()

/** An array of at most `max` elements. */
export const array = <T>(of: Field<T>, max: number): Field<T[]> => ({
  write: (value, path) => {
    if (value.length > max) exceed(path, `${max} elements`)
    return value.map((element, i) => of.write(element, `${path}[${i}]`))
  },
  read: (value, path) => {
    if (!Array.isArray(value)) return refuse(path, 'an array')
    if (value.length > max) return exceed(path, `${max} elements`)
    return value.map((element, i) => of.read(element, `${path}[${i}]`))
  },
})

/** A field whose key may be absent. */
export const optional = <T>(field: Field<T>): Field<T> & { readonly optional: true } => ({ ...field, optional: true })

/** A value or `null`, for positions that must stand in the encoding either way. */
export const nullable = <T>(field: Field<T>): Field<T | null> => ({
  write: (value, path) => (value === null ? null : field.write(value, path)),
  read: (value, path) => (value === null ? null : field.read(value, path)),
})

/** A closed set of names, each with its number on the wire. */
export const oneOf = <const N extends string>(numbers: Readonly<Record<N, number>>): Field<N> => {
  const names = new Map(Object.entries<number>(numbers).map(([name, number]) => [number, name as N]))
  return {
    write: (name, path) => numbers[name] ?? refuse(path, 'a known name'),
    read: (value, path) => names.get(value as number) ?? refuse(path, 'a known number'),
  }
}

/** One struct inside another. */
export const nested = <T>(codec: StructCodec<T>): Field<T> => ({ write: codec.toMap, read: codec.fromMap })

/** Encoder and decoder of one wire struct. */
export interface StructCodec<T> {
  readonly toMap: (value: T, path?: string) => Map<number, CborValue>
  readonly fromMap: (value: unknown, path?: string) => T
  /** @throws ProtocolError `malformed` or `limit` when `value` is not of the shape: nothing invalid leaves this device. */
  readonly encode: (value: T) => Uint8Array
  /** Consumes every byte. @throws ProtocolError `malformed` or `limit`. */
  readonly decode: (bytes: Uint8Array) => T
}

const readMap = (value: unknown, path: string, known: ReadonlyMap<number, unknown>): Map<number, unknown> => {
  if (!(value instanceof Map)) return refuse(path, 'a map')
  let previous = -1
  for (const key of value.keys()) {
    if (typeof key !== 'number' || key <= previous || !known.has(key)) refuse(path, 'known integer keys in ascending order')
    previous = key
  }
  return value
}

/** Describes a struct; `name` is what errors call it. Keys must be given in ascending order. */
export const struct = <const S extends Shape>(name: string, shape: S): StructCodec<Struct<S>> => {
  const fields = Object.entries(shape).map(([property, [key, field]]) => ({ property, key, field }))
  const known = new Map(fields.map(({ key }) => [key, true]))
  const toMap = (value: Struct<S>, path = name): Map<number, CborValue> => {
    const map = new Map<number, CborValue>()
    for (const { property, key, field } of fields) {
      const element = (value as Record<string, unknown>)[property]
      if (element === undefined && field.optional) continue
      map.set(key, field.write(element, `${path}.${property}`))
    }
    return map
  }
  const fromMap = (value: unknown, path = name): Struct<S> => {
    const map = readMap(value, path, known)
    const out: Record<string, unknown> = {}
    for (const { property, key, field } of fields) {
      if (map.has(key)) out[property] = field.read(map.get(key), `${path}.${property}`)
      else if (!field.optional) refuse(`${path}.${property}`, 'a value')
    }
    return out as Struct<S>
  }
  return { toMap, fromMap, encode: (value) => encodeCanonical(toMap(value)), decode: (data) => fromMap(decodeCanonical(data)) }
}

/** Encodes a value deterministically: integers at their shortest, map keys ascending. */
export const encodeCanonical = (value: CborValue): Uint8Array => encodeCbor(value)

/** Decodes strictly. Maps come back as `Map`. @throws ProtocolError `malformed`. */
export const decodeCanonical = (data: Uint8Array): unknown => {
  try {
    return decodeCbor(data, {
      strict: true,
      useMaps: true,
      rejectDuplicateMapKeys: true,
      allowIndefinite: false,
      allowUndefined: false,
      allowBigInt: false,
      allowInfinity: false,
      allowNaN: false,
    })
  } catch (cause) {
    // cborg throws Error; hostile nesting ends in RangeError (stack). Both mean the same to the caller.
    throw new ProtocolError('malformed', 'not canonical CBOR', { cause })
  }
}
