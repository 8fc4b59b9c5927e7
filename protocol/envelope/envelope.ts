import { noble } from '../crypto/noble-provider.ts'
import { aeadTagBytes, type CryptoProvider } from '../crypto/provider.ts'
import { bytes, bytesUpTo, decodeCanonical, optional, refine, struct, versioned, type Field } from '../wire/codec.ts'
import { ProtocolError } from '../wire/error.ts'
import { kib, maxEnvelopeBytes } from '../wire/limits.ts'
import { paddedLength } from './padding.ts'

/**
 * What a relay stores and a link carries. `prekey` opens a session and repeats its handshake until the first reply;
 * `session` is every later message. Number 2 is kept for groups. The relay sees the kind, the salt, the handshake's public
 * part and noise; its length falls into buckets (`padding.ts`).
 */
export type EnvelopeKind = 'prekey' | 'session'

export const envelopeVersion = 1
export const kindNumbers: Readonly<Record<EnvelopeKind, number>> = { prekey: 0, session: 1 }

/** A kind that does not exist yet comes from a newer version, not from damage. */
const kindField: Field<EnvelopeKind> = {
  write: (kind) => kindNumbers[kind],
  read: (value, path) => {
    if (value === kindNumbers.prekey) return 'prekey'
    if (value === kindNumbers.session) return 'session'
    if (typeof value !== 'number') throw new ProtocolError('malformed', `${path}: expected a number`)
    throw new ProtocolError('version', `${path}: made by a newer version of Sotto`)
  },
}

/** 16 random bytes: body key and nonce are derived with them, so that two copies of one state never share a pair. */
export const saltBytes = 16

/** 4 KiB: a sealed header with both fields of the KEM step is 2.3 KiB. */
const maxHeaderBytes = 4 * kib

/** 2 KiB: a handshake is 1.3 KiB, most of it the ML-KEM ciphertext. */
const maxHandshakeBytes = 2 * kib

const envelope = versioned(
  'envelope',
  envelopeVersion,
  refine(
    struct('envelope', {
      kind: [1, kindField],
      salt: [2, bytes(saltBytes)],
      /** Sealed ratchet header. */
      header: [3, bytesUpTo(maxHeaderBytes, aeadTagBytes)],
      /** Sealed, padded body. */
      ciphertext: [4, bytesUpTo(maxEnvelopeBytes, aeadTagBytes)],
      /** Encoded `handshake`, present exactly in kind `prekey`. */
      handshake: [5, optional(bytesUpTo(maxHandshakeBytes, 1))],
    }),
    ({ kind, handshake }) => {
      if ((kind === 'prekey') !== (handshake !== undefined)) {
        throw new ProtocolError('malformed', 'envelope: a handshake belongs into kind prekey, and only there')
      }
    },
  ),
)
export type Envelope = ReturnType<typeof envelope.decode>

/** @throws ProtocolError `limit` when the envelope would have more than 64 KiB. */
export const encodeEnvelope = (value: Envelope): Uint8Array => {
  const encoded = envelope.encode(value)
  if (encoded.length > maxEnvelopeBytes) throw new ProtocolError('limit', 'envelope: over the limit of 64 KiB')
  return encoded
}

/** @throws ProtocolError `limit` over 64 KiB, `version` for a newer version or kind, `malformed` for anything else. */
export const decodeEnvelope = (data: Uint8Array): Envelope => {
  if (data.length > maxEnvelopeBytes) throw new ProtocolError('limit', 'envelope: over the limit of 64 KiB')
  return envelope.fromMap(decodeCanonical(data))
}

/** Bytes of a CBOR byte string's head. */
const headBytes = (length: number): number => (length < 24 ? 1 : length < 0x100 ? 2 : length < 0x1_0000 ? 3 : 5)

/** Length of the envelope around a body of `sealed` bytes, given its length with an empty body. */
const lengthWith = (empty: number, sealed: number): number => empty - headBytes(0) + headBytes(sealed) + sealed

/**
 * How long the padded body (before sealing) must be for the whole envelope to be exactly one bucket long.
 * `parts`: the envelope without its ciphertext.
 * @throws ProtocolError `limit` when the content does not fit into 64 KiB.
 */
export const paddedBodyLength = (contentLength: number, parts: Omit<Envelope, 'ciphertext'>): number => {
  const handshake = parts.handshake === undefined ? 0 : 1 + headBytes(parts.handshake.length) + parts.handshake.length
  // Map head and five keys without the handshake's, version, kind, salt with its head, header with its head, empty body.
  const empty = 5 + 1 + 2 + 1 + saltBytes + headBytes(parts.header.length) + parts.header.length + 1 + handshake
  let bucket = paddedLength(lengthWith(empty, contentLength + 1 + aeadTagBytes))
  while (bucket <= maxEnvelopeBytes) {
    // Heads of two and three bytes: under 64 KiB there is no longer one, and a shorter one leaves no room worth a bucket.
    for (const head of [2, 3]) {
      const sealed = bucket - empty + headBytes(0) - head
      if (headBytes(sealed) === head) return sealed - aeadTagBytes
    }
    // One length at each step of the head's size cannot be reached: take the next bucket.
    bucket = paddedLength(bucket + 1)
  }
  throw new ProtocolError('limit', 'content does not fit into an envelope of 64 KiB')
}

/** The envelope's id (16 bytes): SHA-256 of its bytes, truncated. Computed by everybody, never sent: nobody can squat on it. */
export const envelopeId = (data: Uint8Array, crypto: CryptoProvider = noble): Uint8Array =>
  crypto.sha256(data).slice(0, 16)
