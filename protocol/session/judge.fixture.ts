import { conversationIdOf, decodeContent } from '../content/content.ts'
import { noble } from '../crypto/noble-provider.ts'
import { logExtends, verifyAccountLog } from '../identity/account-log.ts'
import { testTime } from '../identity/account.fixture.ts'
import { verifyBundle, type PrekeyBundle } from '../identity/prekeys.ts'
import type { Random } from '../wire/brand.ts'
import { equalBytes } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import { deviceOf, type PublicAccount, type Step, type Transcript } from './transcript.fixture.ts'
import type { ResponderPrekeys } from './responding-device.ts'
import {
  decryptMessage,
  encodeSession,
  encryptMessage,
  initiateSession,
  respondToHandshake,
  type LocalIdentity,
  type Session,
} from './session.ts'

/**
 * What one party lays before a judge: all its own secrets, the whole transcript with every state of the ratchet and every
 * random number it drew, and of the other one what is public.
 */
export interface Evidence {
  readonly keeper: LocalIdentity & PublicAccount
  readonly other: PublicAccount
  /** The responder's, as published. */
  readonly bundle: PrekeyBundle
  /** With a responder's evidence. */
  readonly prekeys?: ResponderPrekeys
  readonly transcript: Transcript
}

/** Why evidence was not accepted. */
class EvidenceError extends Error {
  override readonly name = 'EvidenceError'
}

const demand: (fact: boolean, what: string) => asserts fact = (fact, what) => {
  if (!fact) throw new EvidenceError(`the evidence does not hold: ${what}`)
}

const demandEqual = (a: Uint8Array, b: Uint8Array, what: string): void => demand(equalBytes(a, b), what)

/** Gives out again what was drawn. */
const replay = (drawn: readonly Uint8Array[]): { random: Random; isSpent: () => boolean } => {
  const left = drawn.map((bytes) => bytes.slice())
  const random: Random = (length) => {
    const next = left.shift()
    demand(next?.length === length, 'other random numbers were needed')
    return next
  }
  return { random, isSpent: () => left.length === 0 }
}

/** The logs verify, and the secrets shown are those of the published keys. */
const checkKeys = ({ keeper, other, bundle, prekeys, transcript }: Evidence): void => {
  for (const account of [keeper, other]) {
    demandEqual(verifyAccountLog(account.log).accountId, account.accountId, 'account id')
  }
  const { identitySecret } = keeper.device
  demandEqual(noble.x25519PublicKey(identitySecret), deviceOf(keeper).identityKey, 'identity key')
  const responder = transcript.keeper === 'responder' ? keeper : other
  verifyBundle(bundle, responder.accountId, deviceOf(responder))
  if (transcript.keeper === 'initiator') return
  demand(prekeys?.oneTime !== undefined && bundle.oneTimePrekey !== undefined, 'one-time prekey')
  const { signed, oneTime, kem } = prekeys
  demandEqual(noble.x25519PublicKey(signed.secret), bundle.signedPrekey.key, 'signed prekey')
  demandEqual(noble.x25519PublicKey(oneTime.secret), bundle.oneTimePrekey.key, 'one-time prekey')
  demandEqual(noble.mlkem768Keygen(kem.secret).encapsulationKey, bundle.kemPrekey.key, 'KEM prekey')
}

/** The keeper's session before the first message; a responder has none. */
const begin = ({ keeper, other, bundle, transcript }: Evidence): Session | undefined => {
  if (transcript.keeper === 'responder') return undefined
  const { random, isSpent } = replay(transcript.drawn)
  const session = initiateSession({
    local: keeper,
    remoteAccountId: other.accountId,
    remoteDevice: deviceOf(other),
    bundle,
    generation: transcript.generation,
    now: testTime,
    random,
  })
  demand(isSpent(), 'random numbers were left over')
  return session
}

/** A first message opens the session, and only for the account and device that the evidence names. */
const opened = ({ keeper, other, prekeys }: Evidence, envelope: Uint8Array) => {
  demand(prekeys !== undefined, 'prekeys')
  const { initiator, ...rest } = respondToHandshake({ local: keeper, envelope, prekeys, now: testTime })
  demandEqual(initiator.accountId, other.accountId, 'account of the initiator')
  demandEqual(initiator.identityKey, deviceOf(other).identityKey, 'identity key of the initiator')
  demandEqual(initiator.deviceId, deviceOf(other).deviceId, 'device of the initiator')
  demand(logExtends(other.log, initiator.head), 'log of the initiator')
  return rest
}

/** The keeper's session after a step, computed anew. */
const advance = (evidence: Evidence, session: Session | undefined, step: Step): Session => {
  const now = testTime
  if (step.by !== evidence.transcript.keeper) {
    const { envelope } = step
    const received = session === undefined ? opened(evidence, envelope) : decryptMessage(session, envelope, { now })
    demandEqual(received.plaintext, step.plaintext, 'plaintext')
    return received.session
  }
  demand(session !== undefined, 'a responder does not speak first')
  const { random, isSpent } = replay(step.drawn)
  const sent = encryptMessage(session, step.plaintext, { now, random })
  demand(isSpent(), 'random numbers were left over')
  demandEqual(sent.envelope, step.envelope, 'envelope')
  return sent.session
}

const readText = ({ keeper, other }: Evidence, { by, plaintext }: Step): string => {
  const { body, conversationId, opening } = decodeContent(plaintext)
  demandEqual(conversationId, conversationIdOf(keeper.accountId, other.accountId), 'conversation')
  if (opening !== undefined) verifyAccountLog(opening.log)
  return body.kind === 'text' ? `${by}: ${body.text}` : `${by}: ${body.kind}`
}

/**
 * Computes the whole conversation anew from the evidence, every envelope and every state, with the production functions.
 * Returns what was said. @throws when anything does not come out as the evidence has it.
 */
export const judge = (evidence: Evidence): string[] => {
  checkKeys(evidence)
  let session = begin(evidence)
  return evidence.transcript.steps.map((step) => {
    session = advance(evidence, session, step)
    demandEqual(encodeSession(session), step.record, 'state after the step')
    return readText(evidence, step)
  })
}

/** The same in one word. Anything but a refusal is a failure of the test. */
export const verdict = (evidence: Evidence): 'accepted' | 'refused' => {
  try {
    judge(evidence)
    return 'accepted'
  } catch (error) {
    if (error instanceof EvidenceError || error instanceof ProtocolError) return 'refused'
    throw error
  }
}
