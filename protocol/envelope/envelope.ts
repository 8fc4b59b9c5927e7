import { noble } from '../crypto/noble-provider.ts'
import { aeadTagBytes, xchachaNonceBytes as nonceBytes, type CryptoProvider } from '../crypto/provider.ts'
import { fieldsOf, headerLengthOf } from '../ratchet/header.ts'
import { ProtocolError } from '../wire/error.ts'
import { kib, maxEnvelopeBytes } from '../wire/limits.ts'
import { paddedLength } from './padding.ts'

/**
 * What a relay stores and a link carries (`spec/envelope.md`), in a fixed layout:
 *
 * head (1) || nonce (24) || kind prekey: length (2) || handshake || sealed header (56 to 2,328) || sealed body (16 and more)
 *
 * `prekey` opens a session and repeats its handshake until the first reply; `session` is every later message. Number 2 is
 * kept for groups. The relay sees the kind, whether the header carries a KEM step, the handshake's public part and noise;
 * the length falls into buckets (`padding.ts`).
 */
type EnvelopeKind = 'prekey' | 'session'

export interface Envelope {
  readonly kind: EnvelopeKind
  /** 24 random bytes, for header and body under their two keys: two copies of one state never share a key and nonce. */
  readonly nonce: Uint8Array
  /** Sealed ratchet header; its length tells its fields. */
  readonly header: Uint8Array
  /** Sealed, padded body. */
  readonly ciphertext: Uint8Array
  /** Encoded `handshake`, present exactly in kind `prekey`. */
  readonly handshake?: Uint8Array
}

/** What stands before the body. */
export type EnvelopeLead = Omit<Envelope, 'ciphertext'>

const envelopeVersion = 2

/** Version 1 was CBOR, and its first bytes have this in the place of the version: never to be assigned. */
const cborVersion = 10

const kindNumbers: Readonly<Record<EnvelopeKind, number>> = { prekey: 0, session: 1 }

/** 2 KiB: a handshake is 1.3 KiB, most of it the ML-KEM ciphertext. */
export const maxHandshakeBytes = 2 * kib

const handshakeLengthBytes = 2

/** Bytes before the sealed header. */
const leadBytes = (handshake: Uint8Array | undefined): number =>
  1 + nonceBytes + (handshake === undefined ? 0 : handshakeLengthBytes + handshake.length)

/** The first byte: version (4 bits) || kind (2 bits) || fields of the header (2 bits). Stands in the body's associated data. */
export const envelopeHead = ({ kind, header }: Pick<Envelope, 'kind' | 'header'>): number =>
  (envelopeVersion << 4) | (kindNumbers[kind] << 2) | fieldsOf(header.length)

const malformed = (reason: string): ProtocolError => new ProtocolError('malformed', `envelope: ${reason}`)

const checkParts = ({ kind, nonce, handshake }: EnvelopeLead, bodyLength: number): void => {
  if (nonce.length !== nonceBytes) throw malformed(`expected a nonce of ${nonceBytes} bytes`)
  if (bodyLength < aeadTagBytes) throw malformed('the body is shorter than its tag')
  if ((kind === 'prekey') !== (handshake !== undefined)) {
    throw malformed('a handshake belongs into kind prekey, and only there')
  }
  if (handshake !== undefined && (handshake.length === 0 || handshake.length > maxHandshakeBytes)) {
    throw malformed('the handshake has an impossible length')
  }
}

/**
 * An envelope with everything but its body, and the view of it where the body belongs (`bodyLength` zeros), so that it is padded
 * in its place: a fresh array of that length costs a browser as much as sealing it.
 * @throws ProtocolError `malformed` for parts that no envelope has, `limit` over 64 KiB.
 */
export const layOutEnvelope = (
  value: EnvelopeLead,
  bodyLength: number,
): { readonly envelope: Uint8Array; readonly body: Uint8Array } => {
  checkParts(value, bodyLength)
  const { nonce, header, handshake } = value
  const lead = leadBytes(handshake)
  const length = lead + header.length + bodyLength
  if (length > maxEnvelopeBytes) throw new ProtocolError('limit', 'envelope: over the limit of 64 KiB')
  const out = new Uint8Array(length)
  out[0] = envelopeHead(value)
  out.set(nonce, 1)
  if (handshake !== undefined) {
    new DataView(out.buffer).setUint16(1 + nonceBytes, handshake.length)
    out.set(handshake, 1 + nonceBytes + handshakeLengthBytes)
  }
  out.set(header, lead)
  return { envelope: out, body: out.subarray(lead + header.length) }
}

/** @throws ProtocolError `malformed` for parts that no envelope has, `limit` over 64 KiB. */
export const encodeEnvelope = ({ ciphertext, ...lead }: Envelope): Uint8Array => {
  const { envelope, body } = layOutEnvelope(lead, ciphertext.length)
  body.set(ciphertext)
  return envelope
}

/** Kind and fields of a first byte. @throws ProtocolError `version` for a newer version or kind, `malformed` otherwise. */
const decodeHead = (head: number): { readonly kind: EnvelopeKind; readonly fields: number } => {
  const version = head >> 4
  if (version < envelopeVersion || version === cborVersion) throw malformed('not an envelope of this version')
  const code = (head >> 2) & 3
  const isKnown = code === kindNumbers.prekey || code === kindNumbers.session
  // A kind that does not exist yet comes from a newer version, not from damage.
  if (version > envelopeVersion || !isKnown) {
    throw new ProtocolError('version', 'envelope: made by a newer version of Sotto')
  }
  return { kind: code === kindNumbers.prekey ? 'prekey' : 'session', fields: head & 3 }
}

/** The handshake that stands in a prekey envelope, a copy. */
const readHandshake = (data: Uint8Array): Uint8Array => {
  const start = 1 + nonceBytes + handshakeLengthBytes
  if (data.length < start) throw malformed('it ends before its handshake')
  const length = new DataView(data.buffer, data.byteOffset, data.length).getUint16(1 + nonceBytes)
  if (length === 0 || length > maxHandshakeBytes) throw malformed('the handshake has an impossible length')
  if (data.length < start + length) throw malformed('it ends in its handshake')
  return data.slice(start, start + length)
}

/**
 * The parts; views into `data` but for the handshake, which is a copy. Every byte belongs to one of them, so an envelope has exactly one encoding.
 * @throws ProtocolError `limit` over 64 KiB, `version` for a newer version or kind, `malformed` for anything else.
 */
export const decodeEnvelope = (data: Uint8Array): Envelope => {
  if (data.length > maxEnvelopeBytes) throw new ProtocolError('limit', 'envelope: over the limit of 64 KiB')
  const [head] = data
  if (head === undefined) throw malformed('it is empty')
  const { kind, fields } = decodeHead(head)
  const handshake = kind === 'prekey' ? readHandshake(data) : undefined
  const lead = leadBytes(handshake)
  const bodyAt = lead + headerLengthOf(fields)
  if (data.length < bodyAt + aeadTagBytes) throw malformed('it is shorter than its parts')
  return {
    kind,
    nonce: data.subarray(1, 1 + nonceBytes),
    header: data.subarray(lead, bodyAt),
    ciphertext: data.subarray(bodyAt),
    ...(handshake && { handshake }),
  }
}

/**
 * How long the padded body (before sealing) must be for the whole envelope to be exactly one bucket long.
 * @throws ProtocolError `limit` when the content does not fit into 64 KiB.
 */
export const paddedBodyLength = (
  contentLength: number,
  { header, handshake }: Pick<Envelope, 'header' | 'handshake'>,
): number => {
  const around = leadBytes(handshake) + header.length + aeadTagBytes
  const bucket = paddedLength(around + contentLength + 1)
  if (bucket > maxEnvelopeBytes) {
    throw new ProtocolError('limit', 'content does not fit into an envelope of 64 KiB')
  }
  return bucket - around
}

/** The envelope's id (16 bytes): SHA-256 of its bytes, truncated. Computed by everybody, never sent: nobody can squat on it. */
export const envelopeId = (data: Uint8Array, crypto: CryptoProvider = noble): Uint8Array =>
  crypto.sha256(data).slice(0, 16)
