import { array, bytes, bytesUpTo, nested, optional, struct, uint } from '../wire/codec.ts'
import { maxEnvelopeBytes, maxIdsPerCall } from '../wire/limits.ts'

/**
 * Calls of `/sotto/mailbox/1`. The owner is the peer key the connection was authenticated with (Noise); deposits come from
 * throwaway keys. Methods: `register`, `setLanes`, `revokeLanes`, `deposit`, `subscribe`, `ack`, `advance`.
 */
export const mailboxProtocol = '/sotto/mailbox/1'

const mailboxId = bytes(32)
/** SHA-256 of the 32-byte lane: the relay never keeps the capability itself. */
const laneHash = bytes(32)

/**
 * `register`: makes the mailbox that the secret names (`mailboxIdOf`), owned by the caller's peer key; again by the same key is
 * a yes. The secret rather than the id, so that nobody else can ask for it or take it first. Answer: `done`. Refusals:
 * `not-owner` (somebody who knows the secret was first), `too-large` (4 per device), `overloaded`.
 */
export const registerParams = struct('register', { mailboxSecret: [0, bytes(32)] })

const laneGrant = struct('lane-grant', {
  laneHash: [0, laneHash],
  /** Envelopes this lane takes in all; absent: no total, only the rate limit. Invites give 20. */
  envelopes: [1, optional(uint(1_000_000))],
  /** Unix milliseconds; absent: until revoked. */
  expiresAtMs: [2, optional(uint())],
})

/** `setLanes`: adds lanes or replaces their limits. Answer: `done`. */
export const setLanesParams = struct('set-lanes', {
  mailboxId: [0, mailboxId],
  lanes: [1, array(nested(laneGrant), maxIdsPerCall)],
})

/** `revokeLanes`: forgets lanes; unknown ones are ignored. Answer: `done`. */
export const revokeLanesParams = struct('revoke-lanes', {
  mailboxId: [0, mailboxId],
  laneHashes: [1, array(laneHash, maxIdsPerCall)],
})

const depositTarget = struct('target', { mailboxId: [0, mailboxId], lane: [1, bytes(32)] })

/**
 * `deposit`: one envelope to mailboxes of this relay. Answer: `done` once it is on disk, and the very same answer when a
 * mailbox is unknown, full or has revoked the lane, so that nobody can probe. Refusals: `slow-down` (per lane),
 * `too-large`, `overloaded`.
 */
export const depositParams = struct('deposit', {
  envelope: [0, bytesUpTo(maxEnvelopeBytes, 1)],
  targets: [1, array(nested(depositTarget), 64)],
})

/**
 * `subscribe`: pushes what waits, then what comes, oldest first, at most `window` envelopes unacknowledged at a time. A
 * second subscription to a mailbox ends the first. Answer: `done`, before the first push.
 */
export const subscribeParams = struct('subscribe', { mailboxId: [0, mailboxId], window: [1, uint(1_000)] })

const waitingEnvelope = struct('waiting', {
  /** Ascending per mailbox; what `ack` names. */
  sequence: [0, uint()],
  laneHash: [1, laneHash],
  envelope: [2, bytesUpTo(maxEnvelopeBytes, 1)],
})
export type WaitingEnvelope = ReturnType<typeof waitingEnvelope.decode>

/** A push on a subscribed stream. `waiting`: how many more the mailbox holds behind these, for progress on screen. */
export const envelopesPush = struct('envelopes', {
  mailboxId: [0, mailboxId],
  envelopes: [1, array(nested(waitingEnvelope), maxIdsPerCall)],
  waiting: [2, uint()],
})
export type EnvelopesPush = ReturnType<typeof envelopesPush.decode>

/**
 * `advance`: raises the mailbox's counter to `counter`, unless it is there already. Answer: what it was before, once the new
 * one is on disk. A device raises it as it goes on, so that one restored from an older copy finds it ahead of its own.
 */
export const advanceParams = struct('advance', { mailboxId: [0, mailboxId], counter: [1, uint()] })
export const advanceResult = struct('advanced', { before: [0, uint()] })

/** `ack`: the owner has these on disk; the relay forgets them. Unknown sequences are ignored. Answer: `done`. */
export const ackParams = struct('ack', { mailboxId: [0, mailboxId], sequences: [1, array(uint(), maxIdsPerCall)] })
