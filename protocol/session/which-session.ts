import { signedPrekeyRetentionMs } from '../wire/limits.ts'
import type { Session } from './session.ts'

type Standing = Pick<Session, 'role' | 'confirmed' | 'createdAtMs'>

/**
 * Whether a session of our own making, that the remote has never answered, is not to be sent on:
 *
 * 1. It is older than a replaced signed prekey is kept (45 days): what is sent on it would name keys that are gone.
 * 2. The remote has begun one of its own since. It certainly holds that one and perhaps never had ours; should ours have
 *    arrived, the remote answers on it, and it counts again.
 */
const isPassedOver = (session: Standing, all: readonly Standing[], now: number): boolean => {
  if (session.role === 'responder' || session.confirmed) return false
  if (now - session.createdAtMs > signedPrekeyRetentionMs) return true
  return all.some((other) => other.role === 'responder' && other.createdAtMs > session.createdAtMs)
}

/** Of all sessions with one remote device, those that `preferredSession` may choose from. `now`: Unix milliseconds. */
export const sendableSessions = <S extends Standing>(sessions: readonly S[], now: number): S[] =>
  sessions.filter((session) => !isPassedOver(session, sessions, now))
