import { concatBytes, wipe } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import type { KemSecret } from './kem-step.ts'
import { keyBytes, type ChainKey, type HeaderKey, type RatchetKey, type RatchetSecret, type RootKey } from './keys.ts'
import type { RatchetSuite } from './suite.ts'

/** What a root step gives. */
export interface RootStep {
  readonly rootKey: RootKey
  readonly chainKey: ChainKey
  /** For the chain after the one that starts now, in the same direction. */
  readonly nextHeaderKey: HeaderKey
}

/** Input and info of the root KDF: DH under one label, DH || SS under another that also binds the KEM exchange. */
const inputOf = (
  { crypto, rootLabel, kemRootLabel }: RatchetSuite,
  shared: Uint8Array,
  kem: KemSecret | undefined,
): { readonly input: Uint8Array; readonly info: Uint8Array } => {
  if (kem === undefined) return { input: shared, info: rootLabel }
  if (kemRootLabel === undefined) throw new ProtocolError('malformed', 'ratchet: this suite has no KEM step')
  const exchange = crypto.sha256(concatBytes(kem.key, kem.ciphertext))
  return { input: concatBytes(shared, kem.secret), info: concatBytes(kemRootLabel, exchange) }
}

/**
 * KDF_RK_HE of the Double Ratchet (r4, section 4.2): HKDF-SHA256(DH output, salt = root key, info = label, 96). With a KEM
 * step: HKDF-SHA256(DH output || KEM secret, salt = root key, info = KEM label || SHA-256(KEM key || ciphertext), 96).
 * @throws ProtocolError `key` when the public key is not acceptable.
 */
export const advanceRoot = (
  suite: RatchetSuite,
  rootKey: RootKey,
  secret: RatchetSecret,
  publicKey: RatchetKey,
  kem?: KemSecret,
): RootStep => {
  const shared = suite.crypto.x25519(secret, publicKey)
  const { input, info } = inputOf(suite, shared, kem)
  const okm = suite.crypto.hkdfSha256(input, rootKey, info, 3 * keyBytes)
  const step = {
    rootKey: okm.slice(0, keyBytes) as RootKey,
    chainKey: okm.slice(keyBytes, 2 * keyBytes) as ChainKey,
    nextHeaderKey: okm.slice(2 * keyBytes) as HeaderKey,
  }
  wipe(shared, input, okm)
  return step
}
