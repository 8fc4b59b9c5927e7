import type { CryptoProvider } from '../crypto/provider.ts'
import { envelopeHead, type Envelope } from '../envelope/envelope.ts'
import { ProtocolError } from '../wire/error.ts'
import { maxSealedHeaderBytes } from '../ratchet/header.ts'
import type { MessageKey } from '../ratchet/keys.ts'

const associatedDataBytes = 32

/** What stands around a body and is bound to it. */
export interface BodyContext {
  readonly crypto: CryptoProvider
  /** AD of the session, 32 bytes. */
  readonly associatedData: Uint8Array
  readonly kind: Envelope['kind']
  /** The envelope's, 24 bytes. */
  readonly nonce: Uint8Array
}

/** Nothing secret is ever in here, and each call writes all that it uses: a fresh array costs as much as the cipher. */
const room = new Uint8Array(associatedDataBytes + 1 + maxSealedHeaderBytes)

/** AD (32) || head (1) || sealed header, whose length the head tells. Valid until the next call. */
const bound = ({ associatedData, kind }: BodyContext, header: Uint8Array): Uint8Array => {
  if (associatedData.length !== associatedDataBytes) throw new ProtocolError('malformed', 'session: AD has 32 bytes')
  room.set(associatedData)
  room[associatedDataBytes] = envelopeHead({ kind, header })
  room.set(header, associatedDataBytes + 1)
  return room.subarray(0, associatedDataBytes + 1 + header.length)
}

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
