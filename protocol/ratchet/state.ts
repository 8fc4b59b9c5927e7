import { mlkem768CiphertextBytes, mlkem768EncapsulationKeyBytes, mlkem768SeedBytes } from '../crypto/provider.ts'
import { array, bytes, nested, optional, struct, uint, type Field } from '../wire/codec.ts'
import { maxMessageNumber } from './header.ts'
import { kemStepMessages, stepDone, stepDue } from './kem-step.ts'
import {
  keyField,
  type ChainKey,
  type HeaderKey,
  type KemSeed,
  type RatchetKey,
  type RatchetSecret,
  type RootKey,
} from './keys.ts'
import { skippedKeysField } from './skipped-keys.ts'

/**
 * The ratchet's state, an immutable value, and its stored form.
 *
 * 1. `own` is there exactly while the remote may answer it: from the opening of our sending chain (for a responder: from
 *    the start, its signed prekey) until the remote's answer is received. Without it the next header key is not tried, so
 *    Diffie-Hellman steps alternate strictly.
 * 2. `sending` is there exactly while `own` is, except for a responder that has received nothing.
 * 3. `remoteRatchetKey` is absent only in a responder that has received nothing.
 * 4. `own.kemSeed` is there exactly while a KEM key of ours waits for its answer: our newest chain then carries the key.
 * 5. `remoteKemKey` is there from the opening of a receiving chain that carries one until our answering chain is opened.
 * 6. `receiving` is ordered from the newest chain to the oldest; only the first has a chain key.
 */
export type RatchetState = Readonly<ReturnType<typeof ratchetState.fromMap>>
export type ReceivingChain = Readonly<ReturnType<typeof receivingChain.fromMap>>

/**
 * 5: the newest chains are kept even when nothing of theirs is missing, so that repeats of their messages are recognised as
 * duplicates and not taken for damage.
 */
export const keptReceivingChains = 5

/**
 * 200: an older chain is kept only while it has skipped keys, and so many in all. Bounds the header keys that an envelope of
 * somebody else is tried with (3 ms).
 */
export const maxReceivingChains = 200

const count = uint(maxMessageNumber)

const ratchetPair = struct('ratchet-pair', {
  secret: [0, keyField<RatchetSecret>()],
  key: [1, keyField<RatchetKey>()],
  kemSeed: [2, optional(bytes(mlkem768SeedBytes) as Field<Uint8Array> as Field<KemSeed>)],
})

const kemCiphertext = bytes(mlkem768CiphertextBytes)
const kemKey = bytes(mlkem768EncapsulationKeyBytes)

const sendingChain = struct('sending-chain', {
  chainKey: [0, keyField<ChainKey>()],
  headerKey: [1, keyField<HeaderKey>()],
  /** Number of the next message. */
  next: [2, count],
  /** Fields of the KEM step, in the headers of this chain. */
  kemCiphertext: [3, optional(kemCiphertext)],
  kemKey: [4, optional(kemKey)],
})

const receivingChain = struct('receiving-chain', {
  headerKey: [0, keyField<HeaderKey>()],
  /** All numbers below were received or are among the skipped. */
  next: [1, count],
  /** Absent once a newer chain has told how many messages this one has. */
  chainKey: [2, optional(keyField<ChainKey>())],
  /** Ascending by number; absent when there are none. */
  skipped: [3, optional(skippedKeysField)],
})

export const ratchetState = struct('ratchet', {
  rootKey: [0, keyField<RootKey>()],
  own: [1, optional(nested(ratchetPair))],
  remoteRatchetKey: [2, optional(keyField<RatchetKey>())],
  sending: [3, optional(nested(sendingChain))],
  /** Header key of our next sending chain. */
  nextSendingHeaderKey: [4, keyField<HeaderKey>()],
  /** Messages in our last closed sending chain. */
  previousCount: [5, count],
  receiving: [6, array(nested(receivingChain), maxReceivingChains)],
  /** Header key of the remote's next chain. */
  nextReceivingHeaderKey: [7, keyField<HeaderKey>()],
  /** KEM key of the remote's newest chain, which our next sending chain must answer. */
  remoteKemKey: [8, optional(kemKey)],
  /** See `SinceKemStep`. */
  sinceKem: [9, nested(struct('since-kem-step', { messages: [0, uint(kemStepMessages)], atMs: [1, uint()] }))],
})

/** Root key and the first header key of each direction, from SK. */
export interface InitialKeys {
  readonly rootKey: RootKey
  readonly initiatorHeaderKey: HeaderKey
  readonly responderHeaderKey: HeaderKey
}

/**
 * RatchetInitAliceHE (section 4.4); the first ratchet key is made when the first message is sent. `now`: Unix milliseconds.
 * Its first chain offers a KEM key.
 */
export const initiatorState = (keys: InitialKeys, remoteRatchetKey: RatchetKey, now: number): RatchetState => ({
  rootKey: keys.rootKey,
  remoteRatchetKey,
  nextSendingHeaderKey: keys.initiatorHeaderKey,
  previousCount: 0,
  receiving: [],
  nextReceivingHeaderKey: keys.responderHeaderKey,
  sinceKem: stepDue(now),
})

/** RatchetInitBobHE (section 4.4); `own` is the signed prekey's pair. */
export const responderState = (
  keys: InitialKeys,
  own: { readonly secret: RatchetSecret; readonly key: RatchetKey },
  now: number,
): RatchetState => ({
  rootKey: keys.rootKey,
  own,
  nextSendingHeaderKey: keys.responderHeaderKey,
  previousCount: 0,
  receiving: [],
  nextReceivingHeaderKey: keys.initiatorHeaderKey,
  sinceKem: stepDone(now),
})
