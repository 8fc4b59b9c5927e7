import type { CryptoProvider } from '../crypto/provider.ts'
import type { ProtocolProfile } from '../crypto/profile.ts'
import type { Random } from '../wire/brand.ts'
import { concatBytes, encodeUtf8, equalBytes, wipe } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import {
  deriveHandshakeKey,
  identityAgreement,
  initiatorAgreement,
  responderAgreement,
  type ResponderSecrets,
} from './agreement.ts'
import {
  handshakeMessage,
  handshakeTag,
  initiatorIdentity,
  type HandshakeMessage,
  type InitiatorIdentity,
} from './handshake-message.ts'
import { associatedData, transcript, type Party, type PublicPrekey, type ResponderBundle } from './transcript.ts'

/**
 * PQXDH (Signal, revision 3) in a variant that hides the caller: the initiator names itself under a key of its own, which
 * the responder reaches before it knows who calls. `spec/handshake.md` has the equations.
 */

/** The key sealing the identity is used once, so its nonce may be constant. */
const zeroNonce = new Uint8Array(12)

/** What both sides have after a handshake. Wipe `secret` once the session's keys are derived. */
export interface HandshakeResult {
  /** SK, 32 bytes. */
  readonly secret: Uint8Array
  /** AD, 32 bytes. */
  readonly associatedData: Uint8Array
  /** Names this handshake, 32 bytes. */
  readonly tag: Uint8Array
}

export interface HandshakeContext {
  readonly crypto: CryptoProvider
  readonly profile: ProtocolProfile
}

export interface InitiatorSecrets extends InitiatorIdentity {
  /** X25519, 32 bytes. */
  readonly identitySecret: Uint8Array
}

const identityKeyOf = ({ crypto, profile }: HandshakeContext, sharedSecrets: readonly Uint8Array[], T: Uint8Array) =>
  deriveHandshakeKey(crypto, sharedSecrets, concatBytes(encodeUtf8(profile.labels.handshakeIdentity), T))

const secretOf = (
  { crypto, profile }: HandshakeContext,
  sharedSecrets: readonly Uint8Array[],
  T: Uint8Array,
  initiator: Party,
): Uint8Array => {
  const label = encodeUtf8(profile.labels.handshakeSecret)
  const info = concatBytes(label, T, initiator.accountId, initiator.deviceId, initiator.identityKey)
  return deriveHandshakeKey(crypto, sharedSecrets, info)
}

const refuseSelf = (initiator: Party, responder: Party): void => {
  if (equalBytes(initiator.identityKey, responder.identityKey) || equalBytes(initiator.deviceId, responder.deviceId)) {
    throw new ProtocolError('key', 'a device has no session with itself')
  }
}

/**
 * The initiator's half. `responder` must come from a verified bundle (`verifyBundle`). The result's `message` is the
 * encoded handshake, to be sent unchanged until the first reply.
 * @throws ProtocolError `key` when one of the responder's keys is not acceptable.
 */
export const initiateHandshake = (
  context: HandshakeContext,
  initiator: InitiatorSecrets,
  responder: ResponderBundle,
  random: Random,
): HandshakeResult & { readonly message: Uint8Array } => {
  const { crypto, profile } = context
  refuseSelf(initiator, responder)
  const ephemeralSecret = random(32)
  const randomness = random(32)
  const ephemeralKey = crypto.x25519PublicKey(ephemeralSecret)
  const { ciphertext: kemCiphertext, sharedSecret } = crypto.mlkem768Encapsulate(responder.kemPrekey.key, randomness)
  const T = transcript(crypto, profile, responder, { ephemeralKey, kemCiphertext })
  const dh1 = identityAgreement(crypto, initiator.identitySecret, responder.signedPrekey.key)
  const anonymous = initiatorAgreement(crypto, ephemeralSecret, {
    identityKey: responder.identityKey,
    signedPrekey: responder.signedPrekey.key,
    ...(responder.oneTimePrekey && { oneTimePrekey: responder.oneTimePrekey.key }),
  })
  const identityKey = identityKeyOf(context, [...anonymous, sharedSecret], T)
  const message = handshakeMessage.encode({
    signedPrekeyId: responder.signedPrekey.id,
    ...(responder.oneTimePrekey && { oneTimePrekeyId: responder.oneTimePrekey.id }),
    kemPrekeyId: responder.kemPrekey.id,
    ephemeralKey,
    kemCiphertext,
    sealedIdentity: crypto.chacha20poly1305Seal(identityKey, zeroNonce, initiatorIdentity.encode(initiator), T),
  })
  const secret = secretOf(context, [dh1, ...anonymous, sharedSecret], T, initiator)
  wipe(ephemeralSecret, randomness, dh1, ...anonymous, sharedSecret, identityKey)
  const tag = handshakeTag(crypto, profile, message)
  return { message, secret, tag, associatedData: associatedData(crypto, profile, { initiator, responder, T, tag }) }
}

/** The responder's device with the prekeys that the handshake names, private and public halves. */
export interface RespondingDevice extends Party {
  readonly secrets: ResponderSecrets
  readonly signedPrekey: PublicPrekey
  readonly oneTimePrekey?: PublicPrekey
  readonly kemPrekey: PublicPrekey
  /** ML-KEM-768, 2,400 bytes. */
  readonly decapsulationKey: Uint8Array
}

const requireNamedPrekeys = (message: HandshakeMessage, device: RespondingDevice): void => {
  const same =
    message.signedPrekeyId === device.signedPrekey.id &&
    message.oneTimePrekeyId === device.oneTimePrekey?.id &&
    message.kemPrekeyId === device.kemPrekey.id
  if (!same) throw new ProtocolError('unknown-prekey', 'the handshake names other prekeys than these')
}

/**
 * The responder's half, from the encoded handshake. The initiator it names is *claimed* until a message under the session's
 * keys opens: SK comes out different unless it holds that identity key.
 * @throws ProtocolError `malformed`, `unknown-prekey` (other ids than the prekeys given), `key`, `authentication` (not for
 * these prekeys, or altered), `limit`.
 */
export const respondHandshake = (
  context: HandshakeContext,
  device: RespondingDevice,
  encoded: Uint8Array,
): HandshakeResult & { readonly initiator: InitiatorIdentity; readonly ephemeralKey: Uint8Array } => {
  const { crypto, profile } = context
  const message = handshakeMessage.decode(encoded)
  requireNamedPrekeys(message, device)
  const { ephemeralKey, kemCiphertext } = message
  const T = transcript(crypto, profile, device, { ephemeralKey, kemCiphertext })
  const anonymous = responderAgreement(crypto, device.secrets, ephemeralKey)
  const sharedSecret = crypto.mlkem768Decapsulate(device.decapsulationKey, kemCiphertext)
  const identityKey = identityKeyOf(context, [...anonymous, sharedSecret], T)
  try {
    const opened = crypto.chacha20poly1305Open(identityKey, zeroNonce, message.sealedIdentity, T)
    const initiator = initiatorIdentity.decode(opened)
    refuseSelf(initiator, device)
    const dh1 = identityAgreement(crypto, device.secrets.signedPrekeySecret, initiator.identityKey)
    const secret = secretOf(context, [dh1, ...anonymous, sharedSecret], T, initiator)
    wipe(dh1)
    const tag = handshakeTag(crypto, profile, encoded)
    const ad = associatedData(crypto, profile, { initiator, responder: device, T, tag })
    return { secret, tag, associatedData: ad, initiator, ephemeralKey }
  } finally {
    wipe(...anonymous, sharedSecret, identityKey)
  }
}
