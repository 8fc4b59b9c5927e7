import {
  aeadTagBytes,
  mlkem768CiphertextBytes,
  mlkem768EncapsulationKeyBytes,
  type CryptoProvider,
} from '../crypto/provider.ts'
import { readUint32, writeUint32 } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import { keyBytes, type HeaderKey, type RatchetKey } from './keys.ts'

/** What the receiver needs to find a message's key. */
export interface RatchetHeader {
  /** The sender's key of this chain. */
  readonly ratchetKey: RatchetKey
  /** Messages in the sender's previous chain. */
  readonly previousCount: number
  /** Position in this chain, from 0. */
  readonly number: number
  /** ML-KEM-768 ciphertext (1,088 bytes) that answers the KEM key of the chain that this one replies to. */
  readonly kemCiphertext?: Uint8Array
  /** ML-KEM-768 encapsulation key (1,184 bytes) for the chain that will reply to this one. */
  readonly kemKey?: Uint8Array
}

/** What a header is sealed with: the primitives, and the nonce of its envelope (24 bytes). */
export interface HeaderTools {
  readonly crypto: CryptoProvider
  readonly nonce: Uint8Array
}

/** How headers look on the wire. A seam, so that tests can run the ratchet with other implementations' headers. */
export interface HeaderCodec {
  seal(header: RatchetHeader, key: HeaderKey, tools: HeaderTools): Uint8Array
  /** Null: sealed under another key. @throws ProtocolError `malformed` for a length that no header has. */
  open(sealed: Uint8Array, key: HeaderKey, tools: HeaderTools): RatchetHeader | null
}

/** Numbers are 32-bit on the wire. */
export const maxMessageNumber = 0xffff_ffff

const noData = new Uint8Array(0)

/** ratchet key (32) || previous count (4) || number (4). */
const plainBytes = keyBytes + 4 + 4

/** 56 bytes: a header without fields of the KEM step. A length that followed the numbers would tell how far a chain is. */
export const sealedHeaderBytes = plainBytes + aeadTagBytes

/** Which fields of the KEM step a header has: bit 0 the ciphertext, bit 1 the encapsulation key, in this order. */
export const headerFields = { ciphertext: 1, key: 2 } as const

/** Length of a sealed header with these fields (0 to 3). */
export const headerLengthOf = (fields: number): number =>
  sealedHeaderBytes +
  ((fields & headerFields.ciphertext) === 0 ? 0 : mlkem768CiphertextBytes) +
  ((fields & headerFields.key) === 0 ? 0 : mlkem768EncapsulationKeyBytes)

/** 2,328 bytes: with both fields. */
export const maxSealedHeaderBytes = headerLengthOf(headerFields.ciphertext | headerFields.key)

/** The fields of a sealed header by its length. @throws ProtocolError `malformed` for a length that none has. */
export const fieldsOf = (sealedLength: number): number => {
  const fields = [0, 1, 2, 3].find((each) => headerLengthOf(each) === sealedLength)
  if (fields === undefined) throw new ProtocolError('malformed', 'ratchet header: no header has this length')
  return fields
}

const encode = ({ ratchetKey, previousCount, number, kemCiphertext, kemKey }: RatchetHeader): Uint8Array => {
  const out = new Uint8Array(plainBytes + (kemCiphertext?.length ?? 0) + (kemKey?.length ?? 0))
  out.set(ratchetKey)
  writeUint32(out, keyBytes, previousCount)
  writeUint32(out, keyBytes + 4, number)
  if (kemCiphertext !== undefined) out.set(kemCiphertext, plainBytes)
  if (kemKey !== undefined) out.set(kemKey, out.length - kemKey.length)
  return out
}

const decode = (plain: Uint8Array): RatchetHeader => {
  const fields = fieldsOf(plain.length + aeadTagBytes)
  return {
    ratchetKey: plain.slice(0, keyBytes) as RatchetKey,
    previousCount: readUint32(plain, keyBytes),
    number: readUint32(plain, keyBytes + 4),
    ...((fields & headerFields.ciphertext) !== 0 && {
      kemCiphertext: plain.slice(plainBytes, plainBytes + mlkem768CiphertextBytes),
    }),
    ...((fields & headerFields.key) !== 0 && { kemKey: plain.slice(plain.length - mlkem768EncapsulationKeyBytes) }),
  }
}

/**
 * XChaCha20-Poly1305(header key, nonce of the envelope, header). The body is sealed with the same nonce under another key;
 * the sealed header stands in its associated data. Big-endian numbers; the length alone tells which fields there are.
 */
export const sealedHeader: HeaderCodec = {
  seal: (header, key, { crypto, nonce }) => crypto.xchacha20poly1305Seal(key, nonce, encode(header), noData),
  open: (sealed, key, { crypto, nonce }) => {
    fieldsOf(sealed.length)
    let plain: Uint8Array
    try {
      plain = crypto.xchacha20poly1305Open(key, nonce, sealed, noData)
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'authentication') return null
      throw error
    }
    return decode(plain)
  },
}
