import type { CryptoProvider } from '../crypto/provider.ts'
import { wipe } from '../wire/bytes.ts'
import { keyBytes, type ChainKey, type HeaderKey, type RatchetKey, type RatchetSecret, type RootKey } from './keys.ts'

/** What a Diffie-Hellman step gives. */
export interface RootStep {
  readonly rootKey: RootKey
  readonly chainKey: ChainKey
  /** For the chain after the one that starts now, in the same direction. */
  readonly nextHeaderKey: HeaderKey
}

/**
 * KDF_RK_HE of the Double Ratchet (r4, section 4.2): HKDF-SHA256(DH output, salt = root key, info = label, 96).
 * @throws ProtocolError `key` when the public key is not acceptable.
 */
export const advanceRoot = (
  crypto: CryptoProvider,
  label: Uint8Array,
  rootKey: RootKey,
  secret: RatchetSecret,
  publicKey: RatchetKey,
): RootStep => {
  const shared = crypto.x25519(secret, publicKey)
  const okm = crypto.hkdfSha256(shared, rootKey, label, 3 * keyBytes)
  const step = {
    rootKey: okm.slice(0, keyBytes) as RootKey,
    chainKey: okm.slice(keyBytes, 2 * keyBytes) as ChainKey,
    nextHeaderKey: okm.slice(2 * keyBytes) as HeaderKey,
  }
  wipe(shared, okm)
  return step
}
