import { noSalt, type CryptoProvider } from '../crypto/provider.ts'
import { concatBytes } from '../wire/bytes.ts'

/** 32 bytes 0xff before the key material, as X3DH section 2.2 asks of X25519: never a valid encoding of a point. */
const prefix = new Uint8Array(32).fill(0xff)

/** The responder's X25519 public keys (32 bytes each) as the initiator fetched them. */
export interface ResponderKeys {
  readonly identityKey: Uint8Array
  readonly signedPrekey: Uint8Array
  readonly oneTimePrekey?: Uint8Array
}

/** The responder's X25519 secrets (32 bytes each) for the same keys. */
export interface ResponderSecrets {
  readonly identitySecret: Uint8Array
  readonly signedPrekeySecret: Uint8Array
  readonly oneTimePrekeySecret?: Uint8Array
}

/**
 * DH2, DH3 and, with a one-time prekey, DH4: what both sides can compute before the responder knows who calls.
 * The initiator's side. @throws ProtocolError `key`.
 */
export const initiatorAgreement = (
  crypto: CryptoProvider,
  ephemeralSecret: Uint8Array,
  { identityKey, signedPrekey, oneTimePrekey }: ResponderKeys,
): Uint8Array[] => {
  const publicKeys = [identityKey, signedPrekey, ...(oneTimePrekey === undefined ? [] : [oneTimePrekey])]
  return publicKeys.map((publicKey) => crypto.x25519(ephemeralSecret, publicKey))
}

/** DH2, DH3 and, with a one-time prekey, DH4: the responder's side. @throws ProtocolError `key`. */
export const responderAgreement = (
  crypto: CryptoProvider,
  { identitySecret, signedPrekeySecret, oneTimePrekeySecret }: ResponderSecrets,
  ephemeralKey: Uint8Array,
): Uint8Array[] => {
  const secrets = [
    identitySecret,
    signedPrekeySecret,
    ...(oneTimePrekeySecret === undefined ? [] : [oneTimePrekeySecret]),
  ]
  return secrets.map((secret) => crypto.x25519(secret, ephemeralKey))
}

/** DH1, which proves the initiator: identity secret with signed prekey, or the other way round. @throws ProtocolError `key`. */
export const identityAgreement = (crypto: CryptoProvider, secret: Uint8Array, publicKey: Uint8Array): Uint8Array =>
  crypto.x25519(secret, publicKey)

/** 32 bytes: HKDF-SHA256 without salt over 32 bytes 0xff and the shared secrets in order. */
export const deriveHandshakeKey = (
  crypto: CryptoProvider,
  sharedSecrets: readonly Uint8Array[],
  info: Uint8Array,
): Uint8Array => {
  const material = concatBytes(prefix, ...sharedSecrets)
  try {
    return crypto.hkdfSha256(material, noSalt, info, 32)
  } finally {
    material.fill(0)
  }
}
