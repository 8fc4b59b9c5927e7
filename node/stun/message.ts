import { crc32 } from 'node:zlib'
import { isIPv4 } from 'node:net'

/**
 * STUN Binding (RFC 8489), the part a server without authentication needs: a request tells nothing but its transaction id,
 * the answer says under which address the request came. Attributes of the request are ignored, as section 6.3.1 allows for
 * all that a Binding request may carry here.
 */

const headerBytes = 20
const magicCookie = 0x2112_a442
const bindingRequest = 0x0001
const bindingSuccess = 0x0101
const xorMappedAddress = 0x0020
const fingerprint = 0x8028
/** RFC 8489 section 14.7: CRC-32 is XORed with this, so that it differs from other protocols' checksums. */
const fingerprintMask = 0x5354_554e

/** Transaction id (12 bytes) of a well-formed Binding request; null for anything else, which gets no answer. */
export const readBindingRequest = (datagram: Uint8Array): Uint8Array | null => {
  if (datagram.length < headerBytes) return null
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  const length = view.getUint16(2)
  const wellFormed =
    view.getUint16(0) === bindingRequest &&
    view.getUint32(4) === magicCookie &&
    length % 4 === 0 &&
    datagram.length === headerBytes + length
  return wellFormed ? datagram.slice(8, headerBytes) : null
}

/** A Binding success response with XOR-MAPPED-ADDRESS and FINGERPRINT. */
export const bindingResponse = (transactionId: Uint8Array, address: string, port: number): Uint8Array => {
  const ip = addressBytes(address)
  const attributesBytes = 4 + 4 + ip.length + 8
  const out = new Uint8Array(headerBytes + attributesBytes)
  const view = new DataView(out.buffer)
  view.setUint16(0, bindingSuccess)
  view.setUint16(2, attributesBytes)
  view.setUint32(4, magicCookie)
  out.set(transactionId, 8)
  view.setUint16(headerBytes, xorMappedAddress)
  view.setUint16(headerBytes + 2, 4 + ip.length)
  out[headerBytes + 5] = ip.length === 4 ? 1 : 2
  view.setUint16(headerBytes + 6, port ^ (magicCookie >>> 16))
  // Section 14.2: the address is XORed with the cookie, and beyond it with the transaction id.
  for (const [i, byte] of ip.entries()) out[headerBytes + 8 + i] = byte ^ (out[4 + i] ?? 0)
  const end = out.length - 8
  view.setUint16(end, fingerprint)
  view.setUint16(end + 2, 4)
  view.setUint32(end + 4, (crc32(out.subarray(0, end)) ^ fingerprintMask) >>> 0)
  return out
}

const addressBytes = (address: string): Uint8Array => {
  const mapped = address.replace(/^::ffff:/i, '')
  if (isIPv4(mapped)) return Uint8Array.from(mapped.split('.'), Number)
  const [head = '', tail = ''] = (address.split('%')[0] ?? '').split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const left = groups(head)
  const right = groups(tail)
  const all = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right]
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}
