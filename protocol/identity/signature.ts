import type { CryptoProvider } from '../crypto/provider.ts'
import { encodeCanonical, type CborValue } from '../wire/cbor.ts'
import { ProtocolError } from '../wire/error.ts'

/**
 * What a signature is for. Every Ed25519 signature of Sotto is over CBOR [domain, …parts], so that nothing signed for one
 * purpose verifies for another, nor as anything libp2p signs with the same device key.
 *
 * - `Sotto_account_entry`: the author of an account log entry.
 * - `Sotto_account_consent`: a key that an entry introduces agrees to stand in it.
 * - `Sotto_prekey`: a device vouches for a prekey.
 */
export type SignatureDomain = 'Sotto_account_entry' | 'Sotto_account_consent' | 'Sotto_prekey'

const message = (domain: SignatureDomain, parts: readonly CborValue[]): Uint8Array =>
  encodeCanonical([domain, ...parts])

/** A 64-byte Ed25519 signature (RFC 8032) by the key of `seed` (32 bytes). */
export const sign = (
  crypto: CryptoProvider,
  seed: Uint8Array,
  domain: SignatureDomain,
  parts: readonly CborValue[],
): Uint8Array => crypto.ed25519Sign(seed, message(domain, parts))

/** @throws ProtocolError `signature` unless `signature` is by `publicKey` (32 bytes) over exactly this domain and parts. */
export const verify = (
  crypto: CryptoProvider,
  signature: Uint8Array,
  publicKey: Uint8Array,
  domain: SignatureDomain,
  parts: readonly CborValue[],
): void => {
  if (!crypto.ed25519Verify(signature, message(domain, parts), publicKey)) {
    throw new ProtocolError('signature', `${domain}: the signature does not verify`)
  }
}
