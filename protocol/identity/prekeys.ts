import { boolean, bytes, bytesUpTo, nested, oneOf, optional, struct, uint } from '../wire/codec.ts'

/** ML-KEM-768 encapsulation key, FIPS 203: 1,184 bytes. X25519: 32 bytes. */
const maxPrekeyBytes = 1_184

/** A prekey's public half as it is published: signed over account, device and every field here. */
export const signedPublicKey = struct('prekey', {
  /** Unique per device, never repeated. */
  id: [0, uint(0xffff_ffff)],
  kind: [1, oneOf({ signed: 0, 'one-time': 1, 'one-time-kem': 2, 'last-resort-kem': 3 })],
  key: [2, bytesUpTo(maxPrekeyBytes, 32)],
  lastResort: [3, boolean],
  /** Unix milliseconds. */
  createdAtMs: [4, uint()],
  /** Ed25519 by the device key. */
  signature: [5, bytes(64)],
})
export type SignedPublicKey = ReturnType<typeof signedPublicKey.decode>

/** What an initiator fetches for one device. */
export const prekeyBundle = struct('prekey-bundle', {
  accountId: [0, bytes(32)],
  deviceId: [1, bytes(16)],
  signedPrekey: [2, nested(signedPublicKey)],
  oneTimePrekey: [3, optional(nested(signedPublicKey))],
  /** A one-time KEM prekey, or the last-resort one. */
  kemPrekey: [4, nested(signedPublicKey)],
})
export type PrekeyBundle = ReturnType<typeof prekeyBundle.decode>
