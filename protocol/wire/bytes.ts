import { ProtocolError } from './error.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of `text` (RFC 3629). */
export const encodeUtf8 = (text: string): Uint8Array => encoder.encode(text)

/** Text of strict UTF-8. @throws ProtocolError `malformed` for anything else. */
export const decodeUtf8 = (bytes: Uint8Array): string => {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new ProtocolError('malformed', 'text is not valid UTF-8', { cause })
  }
}

/** One array holding all parts in order. */
export const concatBytes = (...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

/**
 * Writes a 32-bit number, big-endian, to `at`. Not by way of a `DataView`: asking a short array for its buffer makes a browser
 * move it to one, which costs as much as sealing a header.
 */
export const writeUint32 = (out: Uint8Array, at: number, value: number): void => {
  out[at] = value >>> 24
  out[at + 1] = value >>> 16
  out[at + 2] = value >>> 8
  out[at + 3] = value
}

/** The 32-bit number that stands at `at`, big-endian; `bytes` reaches that far. */
export const readUint32 = (bytes: Uint8Array, at: number): number => {
  const byte = (offset: number): number => bytes[at + offset] as number
  return ((byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3)) >>> 0
}

/** Equality whose running time depends on the lengths only, so that secrets may be compared. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}

/** Lexicographic order: negative, zero or positive. Not constant-time; for public values only. */
export const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const order = (a[i] as number) - (b[i] as number)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** Overwrites secrets with zeros, as far as the language allows. */
export const wipe = (...secrets: readonly Uint8Array[]): void => {
  for (const secret of secrets) secret.fill(0)
}

const HEX = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'))

/** Lower-case hexadecimal. */
export const toHex = (bytes: Uint8Array): string => {
  let out = ''
  for (const byte of bytes) out += HEX[byte]
  return out
}

/** Bytes of hexadecimal text. @throws ProtocolError `malformed` on odd length or other characters. */
export const fromHex = (text: string): Uint8Array => {
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text)) throw new ProtocolError('malformed', 'text is not hexadecimal')
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16))
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** base64url without padding (RFC 4648 section 5). */
export const toBase64Url = (bytes: Uint8Array): string => {
  let out = ''
  let bits = 0
  let pending = 0
  for (const byte of bytes) {
    pending = (pending << 8) | byte
    bits += 8
    while (bits >= 6) {
      bits -= 6
      out += ALPHABET[(pending >> bits) & 63]
    }
    pending &= (1 << bits) - 1
  }
  return bits > 0 ? out + ALPHABET[(pending << (6 - bits)) & 63] : out
}

/** Bytes of unpadded base64url. @throws ProtocolError `malformed` on other characters or non-zero spare bits. */
export const fromBase64Url = (text: string): Uint8Array => {
  const out = new Uint8Array(Math.floor((text.length * 6) / 8))
  let offset = 0
  let bits = 0
  let pending = 0
  for (const character of text) {
    const value = ALPHABET.indexOf(character)
    if (value < 0) throw new ProtocolError('malformed', 'text is not base64url')
    pending = (pending << 6) | value
    bits += 6
    if (bits >= 8) {
      bits -= 8
      out[offset++] = pending >> bits
      pending &= (1 << bits) - 1
    }
  }
  if (bits >= 6 || pending !== 0) throw new ProtocolError('malformed', 'base64url text has spare bits')
  return out
}
