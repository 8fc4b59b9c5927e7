import { mlkem768CiphertextBytes, type CryptoProvider } from '../crypto/provider.ts'
import type { ProtocolProfile } from '../crypto/profile.ts'
import { concatBytes, encodeUtf8 } from '../wire/bytes.ts'
import { bytes, bytesUpTo, optional, struct, uint } from '../wire/codec.ts'

/** Prekey ids are 32-bit and never repeated by a device. */
const prekeyId = uint(0xffff_ffff)

/** What the initiator says about itself: sealed, so that the relay does not learn who calls. */
export const initiatorIdentity = struct('initiator-identity', {
  accountId: [0, bytes(32)],
  /** Head of the initiator's account log as it was when it called. */
  head: [1, bytes(32)],
  deviceId: [2, bytes(16)],
  identityKey: [3, bytes(32)],
  /** Decides between sessions; see `preferredSession`. */
  generation: [4, uint()],
})
export type InitiatorIdentity = ReturnType<typeof initiatorIdentity.decode>

/** 192 bytes: the identity is at most 150 with its tag; room for one more 32-byte field. */
const maxSealedIdentityBytes = 192

/** The part of a prekey envelope that makes the session. */
export const handshakeMessage = struct('handshake', {
  signedPrekeyId: [0, prekeyId],
  oneTimePrekeyId: [1, optional(prekeyId)],
  kemPrekeyId: [2, prekeyId],
  /** X25519, fresh for this handshake. */
  ephemeralKey: [3, bytes(32)],
  /** ML-KEM-768, FIPS 203. */
  kemCiphertext: [4, bytes(mlkem768CiphertextBytes)],
  /** `initiator-identity` under a key of its own. */
  sealedIdentity: [5, bytesUpTo(maxSealedIdentityBytes, 16)],
})
export type HandshakeMessage = ReturnType<typeof handshakeMessage.decode>

/**
 * 32 bytes that name one handshake: SHA-256(label || encoded handshake). Repeats of a handshake have the same bytes and
 * therefore the same tag; anything else with its keys does not open.
 */
export const handshakeTag = (crypto: CryptoProvider, profile: ProtocolProfile, encoded: Uint8Array): Uint8Array =>
  crypto.sha256(concatBytes(encodeUtf8(profile.labels.handshakeTag), encoded))
