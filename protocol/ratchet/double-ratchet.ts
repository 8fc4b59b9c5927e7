import type { Random } from '../wire/brand.ts'
import { equalBytes, wipe } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import { advanceChain } from './chain-key.ts'
import { maxMessageNumber, type HeaderTools, type RatchetHeader } from './header.ts'
import { answerKem, checkKemKey, countMessage, offerKem, stepDone, takeKemAnswer } from './kem-step.ts'
import type { MessageKey, RatchetKey, RatchetSecret } from './keys.ts'
import { advanceRoot } from './root-key.ts'
import { isExpired, maxSkippedKept, maxSkippedPerJump, type SkippedKey } from './skipped-keys.ts'
import { keptReceivingChains, maxReceivingChains, type RatchetState, type ReceivingChain } from './state.ts'
import type { RatchetSuite } from './suite.ts'

/**
 * Double Ratchet with header encryption (Signal, revision 4, section 4) and a KEM step, in pure steps: state in, new state out. Sending
 * steps are made when something is sent, so receiving needs no randomness and a used ratchet secret is gone at once.
 */

/**
 * Seals or opens a body, or a whole envelope around it, under its message key, which is wiped as soon as this returns unless
 * the given state keeps it.
 */
export type BodyCipher = (messageKey: MessageKey, sealedHeader: Uint8Array) => Uint8Array

/** Section 4.4, second half of DHRatchetHE: a fresh ratchet key and the chain it opens, with what belongs to the KEM step. */
const openSendingChain = (
  suite: RatchetSuite,
  state: RatchetState,
  { now, random }: { readonly now: number; readonly random: Random },
): RatchetState => {
  const { remoteKemKey, remoteRatchetKey, ...rest } = state
  if (remoteRatchetKey === undefined) {
    throw new ProtocolError('key', 'a responder cannot send before it has received')
  }
  const { crypto } = suite
  const secret = random(32) as RatchetSecret
  const key = crypto.x25519PublicKey(secret) as RatchetKey
  const answer = remoteKemKey === undefined ? undefined : answerKem(crypto, remoteKemKey, random)
  const step = advanceRoot(suite, state.rootKey, secret, remoteRatchetKey, answer)
  if (answer !== undefined) wipe(answer.secret)
  const canOffer = suite.kemRootLabel !== undefined && answer === undefined
  const offer = canOffer ? offerKem(crypto, state.sinceKem, { now, random }) : undefined
  return {
    ...rest,
    remoteRatchetKey,
    rootKey: step.rootKey,
    own: { secret, key, ...(offer && { kemSeed: offer.seed }) },
    sending: {
      chainKey: step.chainKey,
      headerKey: state.nextSendingHeaderKey,
      next: 0,
      ...(answer && { kemCiphertext: answer.ciphertext }),
      ...(offer && { kemKey: offer.key }),
    },
    nextSendingHeaderKey: step.nextHeaderKey,
    ...(answer && { sinceKem: stepDone(now) }),
  }
}

/** The header of a chain's next message. */
const nextHeader = ({ own, sending, previousCount }: RatchetState): RatchetHeader => {
  if (own === undefined || sending === undefined)
    throw new ProtocolError('malformed', 'ratchet: sending chain without key')
  const { next: number, kemCiphertext, kemKey } = sending
  if (number >= maxMessageNumber) throw new ProtocolError('limit', 'ratchet: chain has no numbers left')
  const header = { ratchetKey: own.key, previousCount, number }
  // No later message can open a chain, so none needs the fields: that bounds what they cost in a monologue.
  if (number > maxSkippedPerJump) return header
  return { ...header, ...(kemCiphertext && { kemCiphertext }), ...(kemKey && { kemKey }) }
}

/**
 * RatchetEncryptHE: the state after sending one message, its sealed header and what `seal` made of its key. `nonce`: the
 * envelope's, 24 bytes, fresh for every call, also for one that starts from the same state.
 * @throws ProtocolError `key` in a responder that has received nothing, `limit` after 2^32 - 1 messages in one chain.
 */
export const ratchetEncrypt = (
  suite: RatchetSuite,
  given: RatchetState,
  seal: BodyCipher,
  { now, random, nonce }: { readonly now: number; readonly random: Random; readonly nonce: Uint8Array },
): { readonly state: RatchetState; readonly sealedHeader: Uint8Array; readonly body: Uint8Array } => {
  const state = given.sending === undefined ? openSendingChain(suite, given, { now, random }) : given
  const header = nextHeader(state)
  const sending = state.sending as NonNullable<RatchetState['sending']>
  const sealedHeader = suite.header.seal(header, sending.headerKey, { crypto: suite.crypto, nonce })
  const { messageKey, chainKey } = advanceChain(suite.crypto, sending.chainKey)
  try {
    const body = seal(messageKey, sealedHeader)
    const next = { ...sending, chainKey, next: sending.next + 1 }
    const receiving = tidy(state.receiving, now)
    return {
      state: { ...state, sending: next, receiving, sinceKem: countMessage(state.sinceKem) },
      sealedHeader,
      body,
    }
  } finally {
    wipe(messageKey)
    // That of a chain which opened just now is in no state; the given state's is its owner's.
    if (state !== given) wipe(sending.chainKey)
  }
}

/** The header and the index of its chain; -1 for a chain that it opens. */
interface Found {
  readonly header: RatchetHeader
  readonly index: number
}

/** Tries header keys, the most recent first. Null: the message is not of this session. */
const findChain = (
  suite: RatchetSuite,
  state: RatchetState,
  sealedHeader: Uint8Array,
  nonce: Uint8Array,
): Found | null => {
  const tools: HeaderTools = { crypto: suite.crypto, nonce }
  const open = (chain: ReceivingChain, index: number): Found | null => {
    const header = suite.header.open(sealedHeader, chain.headerKey, tools)
    return header === null ? null : { header, index }
  }
  const [newest, ...older] = state.receiving
  const current = newest === undefined ? null : open(newest, 0)
  if (current !== null) return current
  if (state.own !== undefined) {
    const header = suite.header.open(sealedHeader, state.nextReceivingHeaderKey, tools)
    if (header !== null) return { header, index: -1 }
  }
  for (const [i, chain] of older.entries()) {
    const found = open(chain, i + 1)
    if (found !== null) return found
  }
  return null
}

const tooManySkipped = (): ProtocolError =>
  new ProtocolError('limit', `ratchet: more than ${maxSkippedPerJump} messages skipped at once`)

/** SkipMessageKeysHE: the chain with every key below `until` derived. */
const skipTo = (suite: RatchetSuite, chain: ReceivingChain, until: number, now: number): ReceivingChain => {
  if (until <= chain.next) return chain
  if (until - chain.next > maxSkippedPerJump) throw tooManySkipped()
  let { chainKey } = chain
  if (chainKey === undefined) throw new ProtocolError('malformed', 'ratchet: number beyond the end of its chain')
  const skipped: SkippedKey[] = [...(chain.skipped ?? [])]
  for (let number = chain.next; number < until; number++) {
    const step = advanceChain(suite.crypto, chainKey)
    // The chain key of the given state stays: its owner may need it again if this message does not open.
    if (chainKey !== chain.chainKey) wipe(chainKey)
    skipped.push({ number, messageKey: step.messageKey, storedAtMs: now })
    chainKey = step.chainKey
  }
  return { ...chain, chainKey, next: until, skipped }
}

/** The chain with all its keys up to `end` derived, and without its chain key, which nothing needs any more. */
const closeChain = (suite: RatchetSuite, chain: ReceivingChain, end: number, now: number): ReceivingChain => {
  const { headerKey, next, skipped, chainKey } = skipTo(suite, chain, end, now)
  if (chainKey !== undefined && chainKey !== chain.chainKey) wipe(chainKey)
  return { headerKey, next, ...(skipped && { skipped }) }
}

/** Section 4.4, first half of DHRatchetHE: what the remote's fresh ratchet key changes. */
const openReceivingChain = (
  suite: RatchetSuite,
  state: RatchetState,
  header: RatchetHeader,
  now: number,
): RatchetState => {
  const { own, sending, remoteRatchetKey, rootKey, nextReceivingHeaderKey } = state
  const { crypto } = suite
  if (own === undefined) throw new ProtocolError('malformed', 'ratchet: step out of turn')
  // Such a header carries no fields of the KEM step, whose absence would otherwise be taken for an attack.
  if (header.number > maxSkippedPerJump) throw tooManySkipped()
  const isFresh =
    !equalBytes(header.ratchetKey, own.key) &&
    (remoteRatchetKey === undefined || !equalBytes(header.ratchetKey, remoteRatchetKey))
  if (!isFresh) throw new ProtocolError('key', 'ratchet: key of a new chain is not fresh')
  const answer = takeKemAnswer(crypto, own.kemSeed, header)
  checkKemKey(header)
  const step = advanceRoot(suite, rootKey, own.secret, header.ratchetKey, answer)
  if (answer !== undefined) wipe(answer.secret)
  const [previous, ...older] = state.receiving
  const closed = previous === undefined ? [] : [closeChain(suite, previous, header.previousCount, now)]
  return {
    rootKey: step.rootKey,
    remoteRatchetKey: header.ratchetKey,
    nextSendingHeaderKey: state.nextSendingHeaderKey,
    previousCount: sending?.next ?? 0,
    receiving: [{ headerKey: nextReceivingHeaderKey, chainKey: step.chainKey, next: 0 }, ...closed, ...older],
    nextReceivingHeaderKey: step.nextHeaderKey,
    ...(header.kemKey && { remoteKemKey: header.kemKey }),
    sinceKem: answer === undefined ? state.sinceKem : stepDone(now),
  }
}

/** Takes one message's key out of its chain. `derived`: the key was made now and belongs to nobody else. */
const takeKey = (
  suite: RatchetSuite,
  chain: ReceivingChain,
  number: number,
  now: number,
): { readonly chain: ReceivingChain; readonly messageKey: MessageKey; readonly derived: boolean } => {
  if (number < chain.next) {
    const kept = chain.skipped?.find((key) => key.number === number && !isExpired(key, now))
    if (kept === undefined) throw new ProtocolError('duplicate', 'ratchet: message number is spent')
    const skipped = (chain.skipped ?? []).filter((key) => key !== kept)
    return { chain: { ...chain, skipped }, messageKey: kept.messageKey, derived: false }
  }
  if (number >= maxMessageNumber) throw new ProtocolError('limit', 'ratchet: chain has no numbers left')
  const skippedTo = skipTo(suite, chain, number, now)
  if (skippedTo.chainKey === undefined)
    throw new ProtocolError('malformed', 'ratchet: number beyond the end of its chain')
  const { messageKey, chainKey } = advanceChain(suite.crypto, skippedTo.chainKey)
  if (skippedTo.chainKey !== chain.chainKey) wipe(skippedTo.chainKey)
  return { chain: { ...skippedTo, chainKey, next: number + 1 }, messageKey, derived: true }
}

/** Drops expired keys, then the oldest over the limit, then old chains that have no keys left. */
const tidy = (chains: ReceivingChain[], now: number): ReceivingChain[] => {
  // As it nearly always is: nothing skipped, nothing old.
  if (chains.length <= keptReceivingChains && chains.every((chain) => chain.skipped === undefined)) return chains
  let room = maxSkippedKept
  const tidied = chains.map(({ skipped = [], ...chain }): ReceivingChain => {
    const unexpired = skipped.some((key) => isExpired(key, now))
      ? skipped.filter((key) => !isExpired(key, now))
      : skipped
    // Newest chain first, and in a chain the highest numbers are the newest.
    const kept = unexpired.length > room ? unexpired.slice(unexpired.length - room) : unexpired
    room -= kept.length
    return kept.length === 0 ? chain : { ...chain, skipped: kept }
  })
  return tidied
    .filter((chain, i) => i < keptReceivingChains || chain.skipped !== undefined)
    .slice(0, maxReceivingChains)
}

/**
 * RatchetDecryptHE: the state after receiving one message and what `open` made of its key. Nothing of `given` changes,
 * whatever happens; `open` must throw when the body does not authenticate.
 * @throws ProtocolError `foreign` (no header key fits), `duplicate` (the number is spent, or its key was given up),
 * `limit` (over 1,000 skipped), `key` (ratchet or KEM key not acceptable or not fresh, KEM answer missing or unasked),
 * `malformed`, and whatever `open` throws.
 */
export const ratchetDecrypt = (
  suite: RatchetSuite,
  given: RatchetState,
  sealedHeader: Uint8Array,
  open: BodyCipher,
  { now, nonce }: { readonly now: number; readonly nonce: Uint8Array },
): { readonly state: RatchetState; readonly body: Uint8Array } => {
  const found = findChain(suite, given, sealedHeader, nonce)
  if (found === null) throw new ProtocolError('foreign', 'ratchet: no header key of this session fits')
  const { header } = found
  const state = found.index < 0 ? openReceivingChain(suite, given, header, now) : given
  const index = Math.max(0, found.index)
  const chain = state.receiving[index] as ReceivingChain
  const taken = takeKey(suite, chain, header.number, now)
  try {
    const body = open(taken.messageKey, sealedHeader)
    const receiving = tidy(state.receiving.with(index, taken.chain), now)
    return { state: { ...state, receiving, sinceKem: countMessage(state.sinceKem) }, body }
  } finally {
    if (taken.derived) wipe(taken.messageKey)
    if (state !== given && chain.chainKey !== undefined) wipe(chain.chainKey)
  }
}
