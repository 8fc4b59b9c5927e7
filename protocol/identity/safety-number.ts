import type { CryptoProvider } from '../crypto/provider.ts'
import { noble } from '../crypto/noble-provider.ts'
import { compareBytes, concatBytes, encodeUtf8 } from '../wire/bytes.ts'
import { decodeCanonical, encodeCanonical } from '../wire/cbor.ts'
import { ProtocolError } from '../wire/error.ts'

/**
 * 5,200 rounds, as Signal's numeric fingerprint: makes a search for a second account with the same 30 digits (100 bits)
 * about 2^12 times dearer, and stays under a tenth of a second on a phone.
 */
const rounds = 5_200

const version = 1

/** One side of a safety number. `accountId` and `head` are 32 bytes each, from a verified account log. */
export interface SafetySide {
  readonly accountId: Uint8Array
  readonly head: Uint8Array
}

/** 30 digits of one account: six groups of five, each from five bytes of the last hash, modulo 100,000. */
const digitsOf = (accountId: Uint8Array, crypto: CryptoProvider): string => {
  let hash: Uint8Array = concatBytes(encodeUtf8('Sotto_safety_number'), Uint8Array.of(version), accountId)
  for (let round = 0; round < rounds; round++) hash = crypto.sha512(concatBytes(hash, accountId))
  let digits = ''
  for (let offset = 0; offset < 30; offset += 5) {
    const value = hash.subarray(offset, offset + 5).reduce((sum, byte) => sum * 256 + byte, 0)
    digits += String(value % 100_000).padStart(5, '0')
  }
  return digits
}

/**
 * What two people compare, equal on both sides. `digits`: 60 digits, from the two account ids alone, so they stay the same
 * when a device is added (heads change then; the app shows that apart). `qr`: bytes for a QR code, CBOR [version,
 * lower account id, its head, higher account id, its head]; equal bytes mean that both also see the same logs.
 */
export const safetyNumber = (
  a: SafetySide,
  b: SafetySide,
  crypto: CryptoProvider = noble,
): { digits: string; qr: Uint8Array } => {
  const [low, high] = compareBytes(a.accountId, b.accountId) <= 0 ? [a, b] : [b, a]
  return {
    digits: digitsOf(low.accountId, crypto) + digitsOf(high.accountId, crypto),
    qr: encodeCanonical([version, low.accountId, low.head, high.accountId, high.head]),
  }
}

const is32Bytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array && value.length === 32

/**
 * The two sides that somebody's QR code names, lower account id first. The code proves nothing by itself: it is held against
 * what this device knows.
 * @throws ProtocolError `malformed` when it is no safety number, `version` when a newer version made it.
 */
export const readSafetyCode = (code: Uint8Array): readonly [low: SafetySide, high: SafetySide] => {
  const parts = decodeCanonical(code)
  if (!Array.isArray(parts) || typeof parts[0] !== 'number') {
    throw new ProtocolError('malformed', 'safety number: not the code of one')
  }
  const [made, ...fields] = parts as readonly unknown[]
  if (made !== version) throw new ProtocolError('version', 'safety number: made by another version of Sotto')
  const [lowId, lowHead, highId, highHead] = fields
  const whole = is32Bytes(lowId) && is32Bytes(lowHead) && is32Bytes(highId) && is32Bytes(highHead)
  if (!whole || fields.length !== 4 || compareBytes(lowId, highId) >= 0) {
    throw new ProtocolError('malformed', 'safety number: not two accounts, the lower one first')
  }
  return [
    { accountId: lowId, head: lowHead },
    { accountId: highId, head: highHead },
  ]
}
