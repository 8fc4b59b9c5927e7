import { noble } from '../crypto/noble-provider.ts'
import { profile } from '../crypto/profile.ts'
import { aeadTagBytes, xchachaNonceBytes, type CryptoProvider } from '../crypto/provider.ts'
import { decodeEnvelope, layOutEnvelope, paddedBodyLength, type Envelope } from '../envelope/envelope.ts'
import { padInto, unpad } from '../envelope/padding.ts'
import { handshakeMessage, handshakeTag, type InitiatorIdentity } from '../handshake/handshake-message.ts'
import { initiateHandshake, respondHandshake, type HandshakeResult, type RespondingDevice } from '../handshake/pqxdh.ts'
import type { DeviceRecord, DeviceSecrets } from '../identity/device.ts'
import { verifyBundle, type PrekeyBundle } from '../identity/prekeys.ts'
import { ratchetDecrypt, ratchetEncrypt } from '../ratchet/double-ratchet.ts'
import type { RatchetKey, RatchetSecret } from '../ratchet/keys.ts'
import { initiatorState, responderState, type RatchetState } from '../ratchet/state.ts'
import { suiteOf } from '../ratchet/suite.ts'
import type { Random } from '../wire/brand.ts'
import { compareBytes, equalBytes, wipe } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import { openBody, sealBody } from './message-body.ts'
import { respondingDevice, type ResponderPrekeys } from './responding-device.ts'
import { deriveSessionKeys } from './session-keys.ts'
import { sessionRecord } from './session-record.ts'

/**
 * A session is a handshake and the ratchet that grew from it: an immutable value. Every step takes one and returns the next;
 * the caller stores the new value together with what the step made, in one transaction, and forgets the old one.
 */
export interface Session {
  /** 16 bytes, the same on both sides. */
  readonly sessionId: Uint8Array
  readonly role: 'initiator' | 'responder'
  /** See `preferredSession`. */
  readonly generation: number
  /** 32 bytes. */
  readonly remoteAccountId: Uint8Array
  /** 16 bytes. */
  readonly remoteDeviceId: Uint8Array
  /** True once the remote has answered something of ours: both sides certainly hold the session. */
  readonly confirmed: boolean
  /** 32 bytes; names the handshake, see `readEnvelope`. */
  readonly handshakeTag: Uint8Array
  /** Unix milliseconds of this device. */
  readonly createdAtMs: number
  /** AD (32 bytes), bound into every message. */
  readonly associatedData: Uint8Array
  readonly sendingSignalKey: Uint8Array
  readonly receivingSignalKey: Uint8Array
  /** The encoded handshake that an initiator repeats until the first reply. */
  readonly handshake?: Uint8Array
  readonly ratchet: RatchetState
}

/** This device as it takes part in sessions: account id (32 bytes), head of the own account log (32 bytes), keys. */
export interface LocalIdentity {
  readonly accountId: Uint8Array
  readonly head: Uint8Array
  readonly device: DeviceSecrets
}

/** For the vault only: holds keys in the clear. */
export const encodeSession = (session: Session): Uint8Array => sessionRecord.encode(session)

/** @throws ProtocolError `malformed`, `limit` or `version`. */
export const decodeSession = (data: Uint8Array): Session => sessionRecord.decode(data)

const startSession = (
  crypto: CryptoProvider,
  { secret, associatedData, tag }: HandshakeResult,
  role: Session['role'],
  remote: Pick<Session, 'remoteAccountId' | 'remoteDeviceId' | 'generation' | 'createdAtMs'>,
  own: { secret: RatchetSecret; key: RatchetKey } | RatchetKey,
): Session => {
  const keys = deriveSessionKeys(crypto, profile, secret)
  wipe(secret)
  const isInitiator = role === 'initiator'
  return {
    ...remote,
    sessionId: keys.sessionId,
    role,
    confirmed: false,
    handshakeTag: tag,
    associatedData,
    sendingSignalKey: isInitiator ? keys.initiatorSignalKey : keys.responderSignalKey,
    receivingSignalKey: isInitiator ? keys.responderSignalKey : keys.initiatorSignalKey,
    ratchet:
      own instanceof Uint8Array
        ? initiatorState(keys.ratchet, own, remote.createdAtMs)
        : responderState(keys.ratchet, own, remote.createdAtMs),
  }
}

/**
 * A new session with a remote device, from its bundle; the remote learns of it with the first message.
 *
 * `remoteDevice` must come from the verified log of `remoteAccountId`. The bundle is verified here. `generation`: the highest
 * known with this device plus one, or the Unix time in seconds, whichever is more. `seenSignedAtMs`: see `verifyBundle`.
 * @throws ProtocolError `signature`, `malformed`, `limit`, `conflict` (bundle), `key` (a key is not acceptable, or the device is
 * this one).
 */
export const initiateSession = ({
  local,
  remoteAccountId,
  remoteDevice,
  bundle,
  generation,
  seenSignedAtMs = 0,
  now,
  random,
  crypto = noble,
}: {
  local: LocalIdentity
  remoteAccountId: Uint8Array
  remoteDevice: DeviceRecord
  bundle: PrekeyBundle
  generation: number
  seenSignedAtMs?: number
  now: number
  random: Random
  crypto?: CryptoProvider
}): Session => {
  verifyBundle(bundle, remoteAccountId, remoteDevice, { seenSignedAtMs, crypto })
  const { accountId, head, device } = local
  const { deviceId, identityKey, identitySecret } = device
  const initiator = { accountId, head, deviceId, identityKey, identitySecret, generation }
  const { signedPrekey, oneTimePrekey, kemPrekey } = bundle
  const responder = {
    accountId: remoteAccountId,
    deviceId: remoteDevice.deviceId,
    identityKey: remoteDevice.identityKey,
    signedPrekey,
    ...(oneTimePrekey && { oneTimePrekey }),
    kemPrekey,
  }
  const { message, ...result } = initiateHandshake({ crypto, profile }, initiator, responder, random)
  const remote = { remoteAccountId, remoteDeviceId: remoteDevice.deviceId, generation, createdAtMs: now }
  const session = startSession(crypto, result, 'initiator', remote, signedPrekey.key as RatchetKey)
  return { ...session, handshake: message }
}

/**
 * One message. Store the new session and the envelope together before the envelope goes anywhere: a session used twice from
 * the same state is told apart by the envelope's nonce only.
 * @throws ProtocolError `limit` when the plaintext does not fit into an envelope or the chain has no numbers left, `key` from a responder that has not yet
 * opened its first message.
 */
export const encryptMessage = (
  session: Session,
  plaintext: Uint8Array,
  { now, random, crypto = noble }: { now: number; random: Random; crypto?: CryptoProvider },
): { session: Session; envelope: Uint8Array } => {
  const { associatedData, handshake } = session
  const outer = {
    kind: handshake === undefined ? ('session' as const) : ('prekey' as const),
    nonce: random(xchachaNonceBytes),
    ...(handshake && { handshake }),
  }
  const context = { crypto, associatedData, kind: outer.kind, nonce: outer.nonce }
  const { state, body: sealed } = ratchetEncrypt(
    suiteOf(crypto),
    session.ratchet,
    (messageKey, header) => {
      const lead = { ...outer, header }
      const length = paddedBodyLength(plaintext.length, lead)
      const { envelope, body } = layOutEnvelope(lead, length + aeadTagBytes)
      const padded = body.subarray(0, length)
      padInto(padded, plaintext)
      body.set(sealBody(context, messageKey, header, padded))
      return envelope
    },
    { now, random, nonce: outer.nonce },
  )
  return { session: { ...session, ratchet: state }, envelope: sealed }
}

/** What an envelope says without any secret. */
export type EnvelopeSummary =
  | { kind: 'session'; handshakeTag?: never; prekeyIds?: never }
  | {
      kind: 'prekey'
      /** 32 bytes: equal for repeats of one handshake. A known one goes to its session. */
      handshakeTag: Uint8Array
      /** Ids of the prekeys that `respondToHandshake` needs; the one-time ones are spent once it has succeeded. */
      prekeyIds: { signed: number; oneTime?: number; kem: number }
    }

/** @throws ProtocolError `malformed`, `limit`, or `version` when a newer Sotto made it. */
export const readEnvelope = (data: Uint8Array, crypto: CryptoProvider = noble): EnvelopeSummary => {
  const { handshake } = decodeEnvelope(data)
  if (handshake === undefined) return { kind: 'session' }
  const { signedPrekeyId, oneTimePrekeyId, kemPrekeyId } = handshakeMessage.decode(handshake)
  return {
    kind: 'prekey',
    handshakeTag: handshakeTag(crypto, profile, handshake),
    prekeyIds: {
      signed: signedPrekeyId,
      ...(oneTimePrekeyId !== undefined && { oneTime: oneTimePrekeyId }),
      kem: kemPrekeyId,
    },
  }
}

const openEnvelope = (
  crypto: CryptoProvider,
  session: Session,
  { kind, nonce, header, ciphertext }: Envelope,
  now: number,
): { session: Session; plaintext: Uint8Array } => {
  const context = { crypto, associatedData: session.associatedData, kind, nonce }
  const { state, body } = ratchetDecrypt(
    suiteOf(crypto),
    session.ratchet,
    header,
    (messageKey, sealedHeader) => openBody(context, messageKey, sealedHeader, ciphertext),
    { now, nonce },
  )
  // An initiator opens nothing here but replies, and with the first it stops repeating its handshake; a responder has none.
  const { handshake: _, ...rest } = session
  const next = { ...rest, confirmed: session.confirmed || kind === 'session', ratchet: state }
  return { session: next, plaintext: unpad(body) }
}

/**
 * Opens one message. The given session is untouched, whatever happens; store the new one with the plaintext.
 * @throws ProtocolError `foreign` (no header key of this session fits, or another handshake), `duplicate` (its number is
 * spent), `authentication`, `limit` (skips over 1,000 messages), `key`, `malformed`, `version`.
 */
export const decryptMessage = (
  session: Session,
  envelope: Uint8Array,
  { now, crypto = noble }: { now: number; crypto?: CryptoProvider },
): { session: Session; plaintext: Uint8Array } => {
  const decoded = decodeEnvelope(envelope)
  if (decoded.handshake !== undefined) {
    const tag = handshakeTag(crypto, profile, decoded.handshake)
    if (session.role === 'initiator' || !equalBytes(tag, session.handshakeTag)) {
      throw new ProtocolError('foreign', 'session: the envelope opens another session')
    }
  }
  return openEnvelope(crypto, session, decoded, now)
}

/** The initiator that a handshake names; true only if the account log says so, see `respondToHandshake`. */
export type ClaimedInitiator = Omit<InitiatorIdentity, 'generation'>

const answer = (crypto: CryptoProvider, responder: RespondingDevice, handshake: Uint8Array) => {
  try {
    return respondHandshake({ crypto, profile }, responder, handshake)
  } finally {
    wipe(responder.decapsulationKey)
  }
}

/**
 * Answers a handshake and opens its first message, all or nothing. The message proves that its sender holds `initiator`'s
 * identity key. The caller then decodes the plaintext, checks that the account log in it has this account id, contains this
 * device with this identity key and reaches this head, and only then commits; until then nothing is fetched, shown or
 * answered. One-time prekeys are deleted in the same transaction, by the ids of `readEnvelope`.
 * @throws ProtocolError `unknown-prekey` (prekeys are not the ones named), `authentication`, `foreign`, `key`, `malformed`,
 * `version`, `limit`. All of them mean: drop it silently.
 */
export const respondToHandshake = ({
  local,
  envelope,
  prekeys,
  now,
  crypto = noble,
}: {
  local: LocalIdentity
  envelope: Uint8Array
  prekeys: ResponderPrekeys
  now: number
  crypto?: CryptoProvider
}): { session: Session; plaintext: Uint8Array; initiator: ClaimedInitiator } => {
  const decoded = decodeEnvelope(envelope)
  if (decoded.handshake === undefined) throw new ProtocolError('foreign', 'session: the envelope opens no session')
  const responder = respondingDevice(crypto, local, prekeys)
  const handshake = answer(crypto, responder, decoded.handshake)
  const { generation, ...initiator } = handshake.initiator
  const fresh = startSession(
    crypto,
    handshake,
    'responder',
    { remoteAccountId: initiator.accountId, remoteDeviceId: initiator.deviceId, generation, createdAtMs: now },
    { secret: prekeys.signed.secret as RatchetSecret, key: responder.signedPrekey.key as RatchetKey },
  )
  const { session, plaintext } = openEnvelope(crypto, fresh, decoded, now)
  const { remoteRatchetKey } = session.ratchet
  if (remoteRatchetKey !== undefined && equalBytes(remoteRatchetKey, handshake.ephemeralKey)) {
    throw new ProtocolError('key', 'session: the first ratchet key is the handshake key')
  }
  return { session, plaintext, initiator }
}

/**
 * The session to send on, of all with one remote device: the highest generation, then the lower session id, so that both
 * sides choose the same. The others only receive.
 * @throws ProtocolError `foreign` when there is none.
 */
export const preferredSession = (sessions: readonly Session[]): Session => {
  const [first, ...others] = sessions
  if (first === undefined) throw new ProtocolError('foreign', 'session: there is none with this device')
  return others.reduce((best, session) => {
    const order = session.generation - best.generation || compareBytes(best.sessionId, session.sessionId)
    return order > 0 ? session : best
  }, first)
}
