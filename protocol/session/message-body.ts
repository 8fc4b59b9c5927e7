import type { CryptoProvider } from '../crypto/provider.ts'
import type { ProtocolProfile } from '../crypto/profile.ts'
import { envelopeVersion, kindNumbers, type Envelope } from '../envelope/envelope.ts'
import type { MessageKey } from '../ratchet/keys.ts'
import { concatBytes, encodeUtf8, wipe } from '../wire/bytes.ts'

/** What stands around a body and is bound to it. */
export interface BodyContext {
  readonly crypto: CryptoProvider
  readonly profile: ProtocolProfile
  /** AD of the session, 32 bytes. */
  readonly associatedData: Uint8Array
  readonly kind: Envelope['kind']
  readonly salt: Uint8Array
}

/** AD (32) || version (1) || kind (1) || salt (16) || sealed header: all but the last of fixed length. */
const bound = ({ associatedData, kind, salt }: BodyContext, sealedHeader: Uint8Array): Uint8Array =>
  concatBytes(associatedData, Uint8Array.of(envelopeVersion, kindNumbers[kind]), salt, sealedHeader)

/** Body key (32) and nonce (12): HKDF-SHA256(message key, salt = the envelope's salt, info = label, 44). */
const bodyKeys = ({ crypto, profile, salt }: BodyContext, messageKey: MessageKey): Uint8Array =>
  crypto.hkdfSha256(messageKey, salt, encodeUtf8(profile.labels.message), 44)

/** ChaCha20-Poly1305 of a padded body. */
export const sealBody = (
  context: BodyContext,
  messageKey: MessageKey,
  sealedHeader: Uint8Array,
  padded: Uint8Array,
): Uint8Array => {
  const keys = bodyKeys(context, messageKey)
  try {
    const { crypto } = context
    return crypto.chacha20poly1305Seal(keys.subarray(0, 32), keys.subarray(32), padded, bound(context, sealedHeader))
  } finally {
    wipe(keys)
  }
}

/** The padded body. @throws ProtocolError `authentication`. */
export const openBody = (
  context: BodyContext,
  messageKey: MessageKey,
  sealedHeader: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array => {
  const keys = bodyKeys(context, messageKey)
  try {
    const { crypto } = context
    return crypto.chacha20poly1305Open(
      keys.subarray(0, 32),
      keys.subarray(32),
      ciphertext,
      bound(context, sealedHeader),
    )
  } finally {
    wipe(keys)
  }
}
