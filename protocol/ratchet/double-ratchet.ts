import type { Random } from '../wire/brand.ts'
import { equalBytes, wipe } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import { advanceChain } from './chain-key.ts'
import { maxMessageNumber, type RatchetHeader } from './header.ts'
import type { MessageKey, RatchetKey, RatchetSecret } from './keys.ts'
import { advanceRoot } from './root-key.ts'
import { isExpired, maxSkippedKept, maxSkippedPerJump, type SkippedKey } from './skipped-keys.ts'
import { keptReceivingChains, maxReceivingChains, type RatchetState, type ReceivingChain } from './state.ts'
import type { RatchetSuite } from './suite.ts'

/**
 * Double Ratchet with header encryption (Signal, revision 4, section 4), in pure steps: state in, new state out. Sending
 * steps are made when something is sent, so receiving needs no randomness and a used ratchet secret is gone at once.
 */

/** Seals or opens a body under its message key, which is wiped as soon as this returns. */
export type BodyCipher = (messageKey: MessageKey, sealedHeader: Uint8Array) => Uint8Array

/** Section 4.4, second half of DHRatchetHE: a fresh ratchet key and the chain it opens. */
const openSendingChain = (suite: RatchetSuite, state: RatchetState, random: Random): RatchetState => {
  if (state.remoteRatchetKey === undefined) {
    throw new ProtocolError('key', 'a responder cannot send before it has received')
  }
  const secret = random(32) as RatchetSecret
  const key = suite.crypto.x25519PublicKey(secret) as RatchetKey
  const step = advanceRoot(suite.crypto, suite.rootLabel, state.rootKey, secret, state.remoteRatchetKey)
  return {
    ...state,
    rootKey: step.rootKey,
    own: { secret, key },
    sending: { chainKey: step.chainKey, headerKey: state.nextSendingHeaderKey, next: 0 },
    nextSendingHeaderKey: step.nextHeaderKey,
  }
}

/**
 * RatchetEncryptHE: the state after sending one message, its sealed header and what `seal` made of its key.
 * @throws ProtocolError `key` in a responder that has received nothing, `limit` after 2^32 messages in one chain.
 */
export const ratchetEncrypt = (
  suite: RatchetSuite,
  given: RatchetState,
  seal: BodyCipher,
  { now, random }: { readonly now: number; readonly random: Random },
): { readonly state: RatchetState; readonly sealedHeader: Uint8Array; readonly body: Uint8Array } => {
  const state = given.sending === undefined ? openSendingChain(suite, given, random) : given
  const { own, sending, previousCount } = state
  if (own === undefined || sending === undefined)
    throw new ProtocolError('malformed', 'ratchet: sending chain without key')
  if (sending.next >= maxMessageNumber) throw new ProtocolError('limit', 'ratchet: chain has no numbers left')
  const header = { ratchetKey: own.key, previousCount, number: sending.next }
  const sealedHeader = suite.header.seal(header, sending.headerKey, { crypto: suite.crypto, random })
  const { messageKey, chainKey } = advanceChain(suite.crypto, sending.chainKey)
  try {
    const body = seal(messageKey, sealedHeader)
    const receiving = tidy(state.receiving, now)
    return {
      state: { ...state, sending: { ...sending, chainKey, next: sending.next + 1 }, receiving },
      sealedHeader,
      body,
    }
  } finally {
    wipe(messageKey)
  }
}

/** The header and the index of its chain; -1 for a chain that it opens. */
interface Found {
  readonly header: RatchetHeader
  readonly index: number
}

/** Tries header keys, the most recent first. Null: the message is not of this session. */
const findChain = (suite: RatchetSuite, state: RatchetState, sealedHeader: Uint8Array): Found | null => {
  const open = (chain: ReceivingChain, index: number): Found | null => {
    const header = suite.header.open(sealedHeader, chain.headerKey, suite.crypto)
    return header === null ? null : { header, index }
  }
  const [newest, ...older] = state.receiving
  const current = newest === undefined ? null : open(newest, 0)
  if (current !== null) return current
  if (state.own !== undefined) {
    const header = suite.header.open(sealedHeader, state.nextReceivingHeaderKey, suite.crypto)
    if (header !== null) return { header, index: -1 }
  }
  for (const [i, chain] of older.entries()) {
    const found = open(chain, i + 1)
    if (found !== null) return found
  }
  return null
}

/** SkipMessageKeysHE: the chain with every key below `until` derived. */
const skipTo = (suite: RatchetSuite, chain: ReceivingChain, until: number, now: number): ReceivingChain => {
  if (until <= chain.next) return chain
  if (until - chain.next > maxSkippedPerJump) {
    throw new ProtocolError('limit', `ratchet: more than ${maxSkippedPerJump} messages skipped at once`)
  }
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
  if (own === undefined) throw new ProtocolError('malformed', 'ratchet: step out of turn')
  const isFresh =
    !equalBytes(header.ratchetKey, own.key) &&
    (remoteRatchetKey === undefined || !equalBytes(header.ratchetKey, remoteRatchetKey))
  if (!isFresh) throw new ProtocolError('key', 'ratchet: key of a new chain is not fresh')
  const step = advanceRoot(suite.crypto, suite.rootLabel, rootKey, own.secret, header.ratchetKey)
  const [previous, ...older] = state.receiving
  const closed = previous === undefined ? [] : [closeChain(suite, previous, header.previousCount, now)]
  return {
    rootKey: step.rootKey,
    remoteRatchetKey: header.ratchetKey,
    nextSendingHeaderKey: state.nextSendingHeaderKey,
    previousCount: sending?.next ?? 0,
    receiving: [{ headerKey: nextReceivingHeaderKey, chainKey: step.chainKey, next: 0 }, ...closed, ...older],
    nextReceivingHeaderKey: step.nextHeaderKey,
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
const tidy = (chains: readonly ReceivingChain[], now: number): ReceivingChain[] => {
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
 * `limit` (over 1,000 skipped), `key` (ratchet key not acceptable or not fresh), `version`, `malformed`, and whatever
 * `open` throws.
 */
export const ratchetDecrypt = (
  suite: RatchetSuite,
  given: RatchetState,
  sealedHeader: Uint8Array,
  open: BodyCipher,
  { now }: { readonly now: number },
): { readonly state: RatchetState; readonly body: Uint8Array } => {
  const found = findChain(suite, given, sealedHeader)
  if (found === null) throw new ProtocolError('foreign', 'ratchet: no header key of this session fits')
  const { header } = found
  const state = found.index < 0 ? openReceivingChain(suite, given, header, now) : given
  const index = Math.max(0, found.index)
  const chain = state.receiving[index] as ReceivingChain
  const taken = takeKey(suite, chain, header.number, now)
  try {
    const body = open(taken.messageKey, sealedHeader)
    const receiving = tidy(state.receiving.with(index, taken.chain), now)
    return { state: { ...state, receiving }, body }
  } finally {
    if (taken.derived) wipe(taken.messageKey)
    if (state !== given && chain.chainKey !== undefined) wipe(chain.chainKey)
  }
}
