import { cbc } from '@noble/ciphers/aes.js'
import { noble } from '../crypto/noble-provider.ts'
import { readVectors } from '../crypto/vectors.fixture.ts'
import { concatBytes, encodeUtf8, equalBytes, toHex } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import type { HeaderCodec } from './header.ts'
import type { RatchetKey } from './keys.ts'
import type { BodyCipher } from './double-ratchet.ts'
import type { RatchetSuite } from './suite.ts'

/**
 * The labels, header codec and AEAD of `python_x3dh_doubleratchet.json`; everything else is Sotto's own code. For tests only.
 */
export interface PythonVectors {
  readonly x3dh: readonly {
    readonly ika_priv: string
    readonly ika_pub: string
    readonly eka_priv: string
    readonly eka_pub: string
    readonly ikb_priv: string
    readonly ikb_pub: string
    readonly spkb_priv: string
    readonly spkb_pub: string
    readonly opkb_priv: string | null
    readonly opkb_pub: string | null
    readonly info: string
    readonly sk: string
  }[]
  readonly double_ratchet: readonly {
    readonly sk: string
    readonly bob_spk_priv: string
    readonly bob_spk_pub: string
    readonly ad: string
    readonly steps: readonly PythonStep[]
  }[]
}

export interface PythonStep {
  readonly op: 'send' | 'recv'
  readonly by: 'A' | 'B'
  /** Ratchet secrets this party made at this step. */
  readonly new_ratchet_privs: readonly string[]
  readonly pt: string
  /** With `send`. */
  readonly header?: string
  readonly ct?: string
  /** With `recv`: index of the step that sent it. */
  readonly msg?: number
}

export const pythonVectors = (): PythonVectors => readVectors('python_x3dh_doubleratchet.json')

/**
 * Headers in the clear: ratchet key (32) || previous count (4) || number (4). Without header encryption a chain is known by
 * its ratchet key; a header key here stands for the ratchet key it was first used with.
 */
const plainHeaders = (): HeaderCodec => {
  const keyOf = new Map<string, string>()
  const bind = (headerKey: string, ratchetKey: string): boolean => {
    if (!keyOf.has(headerKey) && ![...keyOf.values()].includes(ratchetKey)) keyOf.set(headerKey, ratchetKey)
    return keyOf.get(headerKey) === ratchetKey
  }
  return {
    seal: ({ ratchetKey, previousCount, number }, key) => {
      bind(toHex(key), toHex(ratchetKey))
      const numbers = new DataView(new ArrayBuffer(8))
      numbers.setUint32(0, previousCount)
      numbers.setUint32(4, number)
      return concatBytes(ratchetKey, new Uint8Array(numbers.buffer))
    },
    open: (sealed, key) => {
      const ratchetKey = sealed.slice(0, 32) as RatchetKey
      const numbers = new DataView(sealed.buffer, sealed.byteOffset + 32, 8)
      if (!bind(toHex(key), toHex(ratchetKey))) return null
      return { ratchetKey, previousCount: numbers.getUint32(0), number: numbers.getUint32(4) }
    },
  }
}

/** One per party: its headers are its own. */
export const pythonSuite = (): RatchetSuite => ({
  crypto: noble,
  rootLabel: encodeUtf8('SecVectors_RK'),
  header: plainHeaders(),
})

const bodyKeys = (messageKey: Uint8Array) => {
  const okm = noble.hkdfSha256(messageKey, new Uint8Array(32), encodeUtf8('SecVectors_MK'), 80)
  return { cipher: cbc(okm.slice(0, 32), okm.slice(64)), macKey: okm.slice(32, 64) }
}

/** AES-256-CBC, then HMAC-SHA256 over associated data || header || ciphertext. */
export const pythonSeal =
  (plaintext: Uint8Array, associatedData: Uint8Array): BodyCipher =>
  (messageKey, header) => {
    const { cipher, macKey } = bodyKeys(messageKey)
    const ciphertext = cipher.encrypt(plaintext)
    return concatBytes(ciphertext, noble.hmacSha256(macKey, concatBytes(associatedData, header, ciphertext)))
  }

export const pythonOpen =
  (sealed: Uint8Array, associatedData: Uint8Array): BodyCipher =>
  (messageKey, header) => {
    const { cipher, macKey } = bodyKeys(messageKey)
    const ciphertext = sealed.subarray(0, -32)
    const tag = noble.hmacSha256(macKey, concatBytes(associatedData, header, ciphertext))
    if (!equalBytes(tag, sealed.subarray(-32))) throw new ProtocolError('authentication', 'the tag does not verify')
    return cipher.decrypt(ciphertext)
  }
