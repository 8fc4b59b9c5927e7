import type { CryptoProvider } from '../crypto/provider.ts'
import type { ProtocolProfile } from '../crypto/profile.ts'
import { encodeCanonical, type CborValue } from '../wire/codec.ts'

/** A prekey's public half as both sides know it. */
export interface PublicPrekey {
  readonly id: number
  /** X25519 (32 bytes) or ML-KEM-768 encapsulation key (1,184 bytes). */
  readonly key: Uint8Array
  readonly lastResort: boolean
}

/** An account's device as it takes part in a handshake. */
export interface Party {
  /** 32 bytes. */
  readonly accountId: Uint8Array
  /** 16 bytes. */
  readonly deviceId: Uint8Array
  /** X25519, 32 bytes. */
  readonly identityKey: Uint8Array
}

/** The responder with the prekeys that the handshake uses. */
export interface ResponderBundle extends Party {
  readonly signedPrekey: PublicPrekey
  readonly oneTimePrekey?: PublicPrekey
  readonly kemPrekey: PublicPrekey
}

const prekey = ({ id, key, lastResort }: PublicPrekey): CborValue => [id, key, lastResort]

/**
 * T (32 bytes): SHA-256 over everything that both sides know before the initiator names itself. It goes into every key, so
 * a swapped device, prekey, flag, ephemeral key or ciphertext gives two sides that share nothing.
 */
export const transcript = (
  crypto: CryptoProvider,
  profile: ProtocolProfile,
  responder: ResponderBundle,
  { ephemeralKey, kemCiphertext }: { ephemeralKey: Uint8Array; kemCiphertext: Uint8Array },
): Uint8Array =>
  crypto.sha256(
    encodeCanonical([
      profile.name,
      responder.accountId,
      responder.deviceId,
      responder.identityKey,
      prekey(responder.signedPrekey),
      responder.oneTimePrekey === undefined ? null : prekey(responder.oneTimePrekey),
      prekey(responder.kemPrekey),
      ephemeralKey,
      kemCiphertext,
    ]),
  )

/**
 * AD (32 bytes), part of every message of the session: SHA-256 over profile, both parties, T and the handshake's tag. Hashed,
 * because it stands in every session record and message; the tag binds the sealed identity (head, generation) as well.
 */
export const associatedData = (
  crypto: CryptoProvider,
  profile: ProtocolProfile,
  { initiator, responder, T, tag }: { initiator: Party; responder: Party; T: Uint8Array; tag: Uint8Array },
): Uint8Array =>
  crypto.sha256(
    encodeCanonical([
      profile.name,
      initiator.identityKey,
      initiator.accountId,
      initiator.deviceId,
      responder.identityKey,
      responder.accountId,
      responder.deviceId,
      T,
      tag,
    ]),
  )
