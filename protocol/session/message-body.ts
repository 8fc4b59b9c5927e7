import type { CryptoProvider } from '../crypto/provider.ts'
import { envelopeHead, type Envelope } from '../envelope/envelope.ts'
import type { MessageKey } from '../ratchet/keys.ts'
import { concatBytes } from '../wire/bytes.ts'

/** What stands around a body and is bound to it. */
export interface BodyContext {
  readonly crypto: CryptoProvider
  /** AD of the session, 32 bytes. */
  readonly associatedData: Uint8Array
  readonly kind: Envelope['kind']
  /** The envelope's, 24 bytes. */
  readonly nonce: Uint8Array
}

/** AD (32) || head (1) || sealed header, whose length the head tells. */
const bound = ({ associatedData, kind }: BodyContext, header: Uint8Array): Uint8Array =>
  concatBytes(associatedData, Uint8Array.of(envelopeHead({ kind, header })), header)

/** XChaCha20-Poly1305 of a padded body under its message key; the random nonce keeps two uses of one state apart. */
export const sealBody = (
  context: BodyContext,
  messageKey: MessageKey,
  header: Uint8Array,
  padded: Uint8Array,
): Uint8Array => context.crypto.xchacha20poly1305Seal(messageKey, context.nonce, padded, bound(context, header))

/** The padded body. @throws ProtocolError `authentication`. */
export const openBody = (
  context: BodyContext,
  messageKey: MessageKey,
  header: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array => context.crypto.xchacha20poly1305Open(messageKey, context.nonce, ciphertext, bound(context, header))
