import { encodeUtf8 } from './bytes.ts'
import { decodeCanonical, encodeCanonical, type CborValue } from './cbor.ts'
import { ProtocolError } from './error.ts'

export { encodeCanonical, type CborValue } from './cbor.ts'

/**
 * Structs over canonical CBOR (`cbor.ts`): maps with integer keys, as COSE has them (RFC 9052).
 *
 * A struct is described once, from fields that each check their own shape and size; encoding and strict decoding follow
 * from the description. Unknown and missing keys are refused: every struct has exactly one encoding.
 */

/** How one value is written and read back. `read` throws ProtocolError on anything but the expected shape. */
export interface Field<T> {
  write(value: T, path: string): CborValue
  read(value: unknown, path: string): T
  /** True when the key may be absent; the property is then absent too. */
  readonly optional?: true
}

/** A field together with its integer key in the map. */
type KeyedField<T> = readonly [key: number, field: Field<T>]

type Shape = Readonly<Record<string, KeyedField<unknown>>>
type FieldValue<K> = K extends readonly [number, Field<infer T>] ? T : never
type OptionalNames<S> = {
  [N in keyof S]: S[N] extends readonly [number, { readonly optional: true }] ? N : never
}[keyof S]

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
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      return refuse(path, 'an unsigned integer')
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

/** Text of at least one and at most `maxBytes` bytes of UTF-8. */
export const utf8 = (maxBytes: number): Field<string> => {
  const check = (value: unknown, path: string): string => {
    if (typeof value !== 'string' || !value.isWellFormed() || value === '')
      return refuse(path, 'well-formed, non-empty text')
    // A UTF-16 code unit never takes more than three bytes of UTF-8: most texts need no second encoding.
    return value.length * 3 > maxBytes && encodeUtf8(value).length > maxBytes
      ? exceed(path, `${maxBytes} bytes`)
      : value
  }
  return { write: check, read: check }
}

/** Printable ASCII that begins with a slash, as every multiaddr does, of at most `max` characters. */
export const multiaddr = (max: number): Field<string> => {
  const check = (value: unknown, path: string): string => {
    if (typeof value !== 'string' || !/^\/[\x21-\x7e]+$/.test(value)) return refuse(path, 'a multiaddr')
    return value.length > max ? exceed(path, `${max} characters`) : value
  }
  return { write: check, read: check }
}

export const boolean: Field<boolean> = (() => {
  const check = (value: unknown, path: string): boolean =>
    typeof value === 'boolean' ? value : refuse(path, 'a boolean')
  return { write: check, read: check }
})()

/** An array of at most `max` elements (and at least `min`). */
export const array = <T>(of: Field<T>, max: number, min = 0): Field<T[]> => {
  const check = (value: unknown, path: string): unknown[] => {
    if (!Array.isArray(value) || value.length < min) return refuse(path, `an array of at least ${min} elements`)
    return value.length > max ? exceed(path, `${max} elements`) : value
  }
  return {
    write: (value, path) => {
      check(value, path)
      return value.map((element) => of.write(element, path))
    },
    read: (value, path) => check(value, path).map((element) => of.read(element, path)),
  }
}

/** A field whose key may be absent. */
export const optional = <T>(field: Field<T>): Field<T> & { readonly optional: true } => ({ ...field, optional: true })

/** A closed set of names, each with its number on the wire. */
export const oneOf = <const N extends string>(numbers: Readonly<Record<N, number>>): Field<N> => {
  const entries = Object.entries<number>(numbers)
  const byName = new Map<string, number>(entries)
  const byNumber = new Map<unknown, N>(entries.map(([name, number]) => [number, name as N]))
  return {
    write: (name, path) => byName.get(name) ?? refuse(path, 'a known name'),
    read: (value, path) => byNumber.get(value) ?? refuse(path, 'a known number'),
  }
}

/** Encoder and decoder of one wire struct. */
export interface StructCodec<T> {
  readonly toMap: (value: T) => Map<number, CborValue>
  readonly fromMap: (value: unknown) => T
  /** @throws ProtocolError `malformed` or `limit` when `value` is not of the shape: nothing invalid leaves this device. */
  readonly encode: (value: T) => Uint8Array
  /** Consumes every byte. @throws ProtocolError `malformed` or `limit`. */
  readonly decode: (bytes: Uint8Array) => T
}

const codecOf = <T>(toMap: StructCodec<T>['toMap'], fromMap: StructCodec<T>['fromMap']): StructCodec<T> => ({
  toMap,
  fromMap,
  encode: (value) => encodeCanonical(toMap(value)),
  decode: (data) => fromMap(decodeCanonical(data)),
})

/** One struct inside another. */
export const nested = <T>(codec: StructCodec<T>): Field<T> => ({
  write: (value) => codec.toMap(value),
  read: (value) => codec.fromMap(value),
})

/** Describes a struct; `name` is what errors call it. Keys must be given in ascending order. */
export const struct = <const S extends Shape>(name: string, shape: S): StructCodec<Struct<S>> => {
  const fields = Object.entries(shape).map(([property, [key, field]]) => ({
    property,
    key,
    field,
    path: `${name}.${property}`,
  }))
  const toMap = (value: Struct<S>): Map<number, CborValue> => {
    if (typeof value !== 'object' || value === null) return refuse(name, 'a struct')
    const map = new Map<number, CborValue>()
    for (const { property, key, field, path } of fields) {
      const element = (value as Record<string, unknown>)[property]
      if (element === undefined && field.optional) continue
      map.set(key, field.write(element, path))
    }
    return map
  }
  const fromMap = (value: unknown): Struct<S> => {
    if (!(value instanceof Map)) return refuse(name, 'a map')
    const out: Record<string, unknown> = {}
    let taken = 0
    for (const { property, key, field, path } of fields) {
      const element: unknown = value.get(key)
      if (element === undefined) {
        if (!field.optional) refuse(path, 'a value')
        continue
      }
      out[property] = field.read(element, path)
      taken++
    }
    return taken === value.size ? (out as Struct<S>) : refuse(name, 'no unknown keys')
  }
  return codecOf(toMap, fromMap)
}

/** A struct with a rule over several of its fields; `check` throws ProtocolError, in both directions. */
export const refine = <T>(codec: StructCodec<T>, check: (value: T) => void): StructCodec<T> =>
  codecOf(
    (value) => {
      const map = codec.toMap(value)
      check(value)
      return map
    },
    (map) => {
      const value = codec.fromMap(map)
      check(value)
      return value
    },
  )

/**
 * A struct whose key 0 holds the version of its format, which is not part of the value. It is read before anything else,
 * so that what a newer version wrote is told apart from damage.
 * @throws ProtocolError (on decoding) `version` when it is not `version`.
 */
export const versioned = <T>(name: string, version: number, codec: StructCodec<T>): StructCodec<T> =>
  codecOf(
    (value) => new Map<number, CborValue>([[0, version], ...codec.toMap(value)]),
    (value) => {
      if (!(value instanceof Map) || typeof value.get(0) !== 'number') return refuse(`${name}.version`, 'a number')
      if (value.get(0) !== version) throw new ProtocolError('version', `${name}: made by another version of Sotto`)
      const rest = new Map<unknown, unknown>(value)
      rest.delete(0)
      return codec.fromMap(rest)
    },
  )
