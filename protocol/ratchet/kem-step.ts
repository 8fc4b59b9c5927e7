import type { CryptoProvider } from '../crypto/provider.ts'
import { passesModulusCheck } from '../crypto/checks.ts'
import { mlkem768SeedBytes } from '../crypto/provider.ts'
import type { Random } from '../wire/brand.ts'
import { wipe } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import { hourMs } from '../wire/limits.ts'
import type { RatchetHeader } from './header.ts'
import type { KemSeed } from './keys.ts'

/**
 * The post-quantum step, tied to the alternating Diffie-Hellman steps (`spec/ratchet.md`, KEM step).
 *
 * 1. Whoever opens a sending chain must answer the KEM key of the chain it replies to, if that had one.
 * 2. A fresh KEM key is offered in an initiator's first chain, and in a chain opened when a step is due and none is answered.
 * 3. An answer that is missing, or that nobody asked for, is refused; so both sides agree on every root step.
 */

/** ML-KEM-768 between the two ends of one chain: its secret (32 bytes), and what made it, to be bound into the root step. */
export interface KemSecret {
  readonly secret: Uint8Array
  readonly key: Uint8Array
  readonly ciphertext: Uint8Array
}

/** When the last KEM step was, by this side's own count. Only decides when to offer; the two sides need not agree. */
export interface SinceKemStep {
  /** Messages sent and received since, counted up to `kemStepMessages`. */
  readonly messages: number
  /** Unix milliseconds of this device. */
  readonly atMs: number
}

/** 50 messages: a step costs some 2.3 KB, which is then under 50 bytes a message in a conversation that alternates. */
export const kemStepMessages = 50

/** 24 hours: bounds in time what a thief of the state with a quantum computer reads in a slow conversation. */
export const kemStepMs = 24 * hourMs

/** Offers at once: an initiator's first chain. */
export const stepDue = (now: number): SinceKemStep => ({ messages: kemStepMessages, atMs: now })

export const stepDone = (now: number): SinceKemStep => ({ messages: 0, atMs: now })

export const countMessage = ({ messages, atMs }: SinceKemStep): SinceKemStep => ({
  messages: Math.min(messages + 1, kemStepMessages),
  atMs,
})

/** A clock put back by as much counts as due as well: the time since the last step is then not known. */
const isDue = ({ messages, atMs }: SinceKemStep, now: number): boolean =>
  messages >= kemStepMessages || Math.abs(now - atMs) >= kemStepMs

/** The answer to the remote's KEM key, when opening a sending chain. @throws ProtocolError `key`. */
export const answerKem = (crypto: CryptoProvider, key: Uint8Array, random: Random): KemSecret => {
  const randomness = random(32)
  const { ciphertext, sharedSecret } = crypto.mlkem768Encapsulate(key, randomness)
  wipe(randomness)
  return { secret: sharedSecret, key, ciphertext }
}

/** A fresh KEM key for the chain that is being opened, if it is time; its seed (64 bytes) is all that is kept of the private half. */
export const offerKem = (
  crypto: CryptoProvider,
  sinceKem: SinceKemStep,
  { now, random }: { readonly now: number; readonly random: Random },
): { readonly seed: KemSeed; readonly key: Uint8Array } | undefined => {
  if (!isDue(sinceKem, now)) return undefined
  const seed = random(mlkem768SeedBytes) as KemSeed
  const { encapsulationKey, decapsulationKey } = crypto.mlkem768Keygen(seed)
  wipe(decapsulationKey)
  return { seed, key: encapsulationKey }
}

/**
 * The secret of the answer in a header that opens a chain; undefined when there was nothing to answer.
 * @throws ProtocolError `key` when the answer is missing or unasked.
 */
export const takeKemAnswer = (
  crypto: CryptoProvider,
  seed: KemSeed | undefined,
  { kemCiphertext: ciphertext }: RatchetHeader,
): KemSecret | undefined => {
  if ((seed === undefined) !== (ciphertext === undefined)) {
    throw new ProtocolError('key', 'ratchet: the answer of a KEM step is missing or was not asked for')
  }
  if (seed === undefined || ciphertext === undefined) return undefined
  const { encapsulationKey: key, decapsulationKey } = crypto.mlkem768Keygen(seed)
  const secret = crypto.mlkem768Decapsulate(decapsulationKey, ciphertext)
  wipe(decapsulationKey)
  return { secret, key, ciphertext }
}

/**
 * Refuses a KEM key that nothing could be encapsulated to, on receipt: found when answering, it would stop everything that is
 * to be sent. @throws ProtocolError `key`.
 */
export const checkKemKey = ({ kemKey }: RatchetHeader): void => {
  if (kemKey !== undefined && !passesModulusCheck(kemKey)) {
    throw new ProtocolError('key', 'ratchet: KEM key is not acceptable')
  }
}
