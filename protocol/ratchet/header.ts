import { aeadTagBytes, type CryptoProvider } from '../crypto/provider.ts'
import type { Random } from '../wire/brand.ts'
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
}

/** How headers look on the wire. A seam, so that tests can run the ratchet with other implementations' headers. */
export interface HeaderCodec {
  seal(header: RatchetHeader, key: HeaderKey, tools: { crypto: CryptoProvider; random: Random }): Uint8Array
  /** Null: sealed under another key. @throws ProtocolError `version` for a header that this version cannot read. */
  open(sealed: Uint8Array, key: HeaderKey, crypto: CryptoProvider): RatchetHeader | null
}

/** Numbers are 32-bit on the wire. */
export const maxMessageNumber = 0xffff_ffff

/**
 * Flags of the optional fields, which follow the fixed ones in this order: bit 0 a KEM ciphertext (1,088 bytes), bit 1 a KEM
 * encapsulation key (1,184 bytes). Version 1 sets none and refuses all of them.
 */
const noFields = 0

const nonceBytes = 24
const noData = new Uint8Array(0)

/** flags (1) || ratchet key (32) || previous count (4) || number (4). */
const plainBytes = 1 + keyBytes + 4 + 4

/** 81 bytes, always: a length that followed the number would tell how far a chain is. */
export const sealedHeaderBytes = nonceBytes + plainBytes + aeadTagBytes

const encode = ({ ratchetKey, previousCount, number }: RatchetHeader): Uint8Array => {
  const out = new Uint8Array(plainBytes)
  const view = new DataView(out.buffer)
  out[0] = noFields
  out.set(ratchetKey, 1)
  view.setUint32(1 + keyBytes, previousCount)
  view.setUint32(1 + keyBytes + 4, number)
  return out
}

const decode = (plain: Uint8Array): RatchetHeader => {
  if (plain[0] !== noFields) throw new ProtocolError('version', 'ratchet header: made by a newer version of Sotto')
  if (plain.length !== plainBytes) throw new ProtocolError('malformed', `ratchet header: expected ${plainBytes} bytes`)
  const view = new DataView(plain.buffer, plain.byteOffset, plain.length)
  return {
    ratchetKey: plain.slice(1, 1 + keyBytes) as RatchetKey,
    previousCount: view.getUint32(1 + keyBytes),
    number: view.getUint32(1 + keyBytes + 4),
  }
}

/**
 * nonce (24 random bytes) || XChaCha20-Poly1305(header key, nonce, header). A header key serves a whole chain, hence the
 * long nonce. The sealed header is in the associated data of its body.
 */
export const sealedHeader: HeaderCodec = {
  seal: (header, key, { crypto, random }) => {
    const nonce = random(nonceBytes)
    const sealed = crypto.xchacha20poly1305Seal(key, nonce, encode(header), noData)
    const out = new Uint8Array(nonceBytes + sealed.length)
    out.set(nonce)
    out.set(sealed, nonceBytes)
    return out
  },
  open: (sealed, key, crypto) => {
    if (sealed.length <= nonceBytes + aeadTagBytes) return null
    let plain: Uint8Array
    try {
      plain = crypto.xchacha20poly1305Open(key, sealed.subarray(0, nonceBytes), sealed.subarray(nonceBytes), noData)
    } catch (error) {
      if (error instanceof ProtocolError && error.code === 'authentication') return null
      throw error
    }
    return decode(plain)
  },
}
