import type { Field } from '../wire/codec.ts'
import { ProtocolError } from '../wire/error.ts'
import { mailboxRetentionMs } from '../wire/limits.ts'
import { keyBytes, type MessageKey } from './keys.ts'

/** The key of a message that has not come yet. */
export interface SkippedKey {
  /** Position in its chain. */
  readonly number: number
  readonly messageKey: MessageKey
  /** When it was derived, Unix milliseconds of this device. */
  readonly storedAtMs: number
}

/** 1,000: more messages than can be lost in a row by accident; bounds the work that one header can ask for (10 ms). */
export const maxSkippedPerJump = 1_000

/** 2,000: two full jumps; bounds the session record to under 100 KB. The oldest are given up first. */
export const maxSkippedKept = 2_000

/** A message waits no longer than the mailbox keeps it; a key that outlives it only helps a thief. */
export const isExpired = ({ storedAtMs }: SkippedKey, now: number): boolean => now - storedAtMs > mailboxRetentionMs

/** number (4) || storedAtMs (6) || message key (32), big-endian. */
const recordBytes = 4 + 6 + keyBytes

const tooMany = (path: string): ProtocolError =>
  new ProtocolError('limit', `${path}: over the limit of ${maxSkippedKept} keys`)

/** Packed, because a session may hold 2,000 of them and is decoded for every message. */
export const skippedKeysField: Field<readonly SkippedKey[]> = {
  write: (keys, path) => {
    if (keys.length > maxSkippedKept) throw tooMany(path)
    const out = new Uint8Array(keys.length * recordBytes)
    const view = new DataView(out.buffer)
    keys.forEach(({ number, storedAtMs, messageKey }, i) => {
      const offset = i * recordBytes
      view.setUint32(offset, number)
      view.setUint16(offset + 4, Math.floor(storedAtMs / 2 ** 32))
      view.setUint32(offset + 6, storedAtMs % 2 ** 32)
      out.set(messageKey, offset + 10)
    })
    return out
  },
  read: (value, path) => {
    if (!(value instanceof Uint8Array) || value.length % recordBytes !== 0) {
      throw new ProtocolError('malformed', `${path}: expected records of ${recordBytes} bytes`)
    }
    if (value.length > maxSkippedKept * recordBytes) {
      throw tooMany(path)
    }
    const view = new DataView(value.buffer, value.byteOffset, value.length)
    return Array.from({ length: value.length / recordBytes }, (_, i) => {
      const offset = i * recordBytes
      return {
        number: view.getUint32(offset),
        storedAtMs: view.getUint16(offset + 4) * 2 ** 32 + view.getUint32(offset + 6),
        messageKey: value.slice(offset + 10, offset + recordBytes) as MessageKey,
      }
    })
  },
}
