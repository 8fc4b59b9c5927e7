import { signalLifetimeMs } from '../../protocol/session/signal.ts'
import { toHex } from '../../protocol/wire/bytes.ts'

/**
 * 1,024 nonces of one contact: fifty signals a second for as long as they are remembered, far more than typing makes. What
 * comes above that is dropped, so a contact that lies about its clock keeps neither memory nor anybody else's signals.
 */
export const maxNonces = 1_024

/**
 * Nonces are remembered for 20 s and by how much the contact's clock is off: a signal lives 10 s into the past and the
 * future, by either clock, so an older repeat is refused by its time. The answer is false for a repeat, and for one too many.
 */
export const createReplayMemory = (
  now: () => number,
): ((contactId: string, nonce: Uint8Array, clockOffsetMs: number) => boolean) => {
  const contacts = new Map<string, Map<string, number>>()
  return (contactId, nonce, clockOffsetMs) => {
    const seen = contacts.get(contactId) ?? new Map<string, number>()
    contacts.set(contactId, seen)
    for (const [old, untilMs] of seen) if (untilMs < now()) seen.delete(old)
    const name = toHex(nonce)
    if (seen.has(name) || seen.size >= maxNonces) return false
    seen.set(name, now() + 2 * signalLifetimeMs + Math.abs(clockOffsetMs))
    return true
  }
}
