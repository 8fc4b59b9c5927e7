import { xchachaNonceBytes, type CryptoProvider } from '../crypto/provider.ts'
import { noble } from '../crypto/noble-provider.ts'
import type { Random } from '../wire/brand.ts'
import { concatBytes } from '../wire/bytes.ts'
import { encodeCanonical } from '../wire/cbor.ts'
import { ProtocolError } from '../wire/error.ts'

/**
 * Sealing of everything at rest. A sealed record is version (1 byte) || nonce (24 random bytes) || XChaCha20-Poly1305
 * ciphertext with tag (16 bytes). Its associated data name the place it belongs to, so a record moved to another key, store
 * or account does not open. An older record put back in its own place does: see the threat model.
 */
const version = 1
const tagBytes = 16
const headerBytes = 1 + xchachaNonceBytes
export const vaultKeyBytes = 64

/** Where a record lives. `accountId`: 32 bytes, all zero before an account exists. `key`: its key in the store. */
export interface RecordPlace {
  readonly accountId: Uint8Array
  readonly store: string
  readonly key: Uint8Array | string
}

/**
 * 64 random bytes: 32 that seal, 32 that blind index keys. One key never serves two algorithms.
 * @throws ProtocolError `key` when `random` gives another length: such a key would be wrapped and kept, and never open.
 */
export const createVaultKey = (random: Random): Uint8Array => {
  const vaultKey = random(vaultKeyBytes)
  requireVaultKey(vaultKey)
  return vaultKey
}

const requireVaultKey = ({ length }: Uint8Array): void => {
  if (length !== vaultKeyBytes) throw new ProtocolError('key', `a vault key has ${vaultKeyBytes} bytes`)
}

const sealingKey = (vaultKey: Uint8Array): Uint8Array => half(vaultKey, 0)
const blindingKey = (vaultKey: Uint8Array): Uint8Array => half(vaultKey, 32)

const half = (vaultKey: Uint8Array, offset: 0 | 32): Uint8Array => {
  requireVaultKey(vaultKey)
  return vaultKey.subarray(offset, offset + 32)
}

const associatedData = ({ accountId, store, key }: RecordPlace): Uint8Array =>
  encodeCanonical([version, accountId, store, key])

/** Seals one record for its place. 41 bytes longer than `plaintext`. @throws ProtocolError `key` for a wrong key length. */
export const sealRecord = (
  vaultKey: Uint8Array,
  place: RecordPlace,
  plaintext: Uint8Array,
  random: Random,
  crypto: CryptoProvider = noble,
): Uint8Array => {
  const nonce = random(xchachaNonceBytes)
  const sealed = crypto.xchacha20poly1305Seal(sealingKey(vaultKey), nonce, plaintext, associatedData(place))
  return concatBytes(Uint8Array.of(version), nonce, sealed)
}

/**
 * Opens a record at its place.
 * @throws ProtocolError `authentication` (damaged, moved, or sealed under another key), `malformed` (too short), `version`,
 * `key` (wrong key length).
 */
export const openRecord = (
  vaultKey: Uint8Array,
  place: RecordPlace,
  sealed: Uint8Array,
  crypto: CryptoProvider = noble,
): Uint8Array => {
  if (sealed.length < headerBytes + tagBytes) throw new ProtocolError('malformed', 'sealed record: too short')
  if (sealed[0] !== version) throw new ProtocolError('version', 'sealed record: made by another version of Sotto')
  const nonce = sealed.subarray(1, headerBytes)
  return crypto.xchacha20poly1305Open(sealingKey(vaultKey), nonce, sealed.subarray(headerBytes), associatedData(place))
}

/**
 * 16 bytes that stand for an index key in the database: HMAC-SHA256, truncated; the same key gives the same bytes, and
 * different stores different ones, so equality can be looked up and nothing else learnt.
 */
export const blindKey = (
  vaultKey: Uint8Array,
  store: string,
  key: Uint8Array,
  crypto: CryptoProvider = noble,
): Uint8Array => crypto.hmacSha256(blindingKey(vaultKey), encodeCanonical([version, store, key])).slice(0, 16)
