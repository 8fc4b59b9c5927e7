import { noble } from '../crypto/noble-provider.ts'
import { aeadTagBytes, xchachaNonceBytes, type CryptoProvider } from '../crypto/provider.ts'
import { pad, unpad } from '../envelope/padding.ts'
import type { Random } from '../wire/brand.ts'
import { concatBytes } from '../wire/bytes.ts'
import { bytesUpTo, optional, struct, uint } from '../wire/codec.ts'
import { ProtocolError } from '../wire/error.ts'
import { secondMs } from '../wire/limits.ts'
import type { Session } from './session.ts'

/**
 * What passes over a direct link and is gone: sealed under the session's signal keys, so that the ratchet does not move.
 *
 * - `hello`, `hello-reply`: the two ends of a fresh link tell each other which session they are.
 * - `typing`: started or stopped.
 * - `presence`: the person is there, or has been away for a while; `untold`: this is not told any more.
 * - `unknown`: from a newer version; to be ignored.
 */
export type Signal =
  | { readonly kind: 'hello' }
  | { readonly kind: 'hello-reply' }
  | { readonly kind: 'typing'; readonly active: boolean }
  | { readonly kind: 'presence'; readonly state: 'online' | 'away' | 'untold' }
  | { readonly kind: 'unknown' }

/**
 * 10 seconds, into the past as well as the future: longer than a link takes, and the nonces that a receiver must remember
 * against repeats stay few (those of 20 seconds, and of as much as the other clock is off).
 */
export const signalLifetimeMs = 10 * secondMs

/** 32 bytes: every signal of this version looks the same on the wire. */
const paddedBytes = 32

/** 512 bytes: what a later version may want to say; more belongs into an envelope. */
const maxSignalBytes = 512

const codes = { hello: 0, 'hello-reply': 1, typing: 2, 'typing-ended': 3, online: 4, away: 5, untold: 6 } as const

const signalBody = struct('signal', {
  /** Unix milliseconds of the sender. */
  sentAtMs: [0, uint()],
  code: [1, uint(0xffff)],
  /** For codes of later versions. */
  payload: [2, optional(bytesUpTo(maxSignalBytes))],
})

const codeOf = (signal: Signal): number => {
  switch (signal.kind) {
    case 'hello':
    case 'hello-reply':
      return codes[signal.kind]
    case 'typing':
      return signal.active ? codes.typing : codes['typing-ended']
    case 'presence':
      return codes[signal.state]
    case 'unknown':
      throw new ProtocolError('malformed', 'signal: an unknown signal cannot be sent')
  }
}

const signalOf = (code: number): Signal => {
  switch (code) {
    case codes.hello:
      return { kind: 'hello' }
    case codes['hello-reply']:
      return { kind: 'hello-reply' }
    case codes.typing:
      return { kind: 'typing', active: true }
    case codes['typing-ended']:
      return { kind: 'typing', active: false }
    case codes.online:
      return { kind: 'presence', state: 'online' }
    case codes.away:
      return { kind: 'presence', state: 'away' }
    case codes.untold:
      return { kind: 'presence', state: 'untold' }
    default:
      return { kind: 'unknown' }
  }
}

/** nonce (24 random bytes) || XChaCha20-Poly1305(own signal key, nonce, padded signal, AD of the session): 72 bytes. */
export const sealSignal = (
  session: Session,
  signal: Signal,
  { now, random, crypto = noble }: { now: number; random: Random; crypto?: CryptoProvider },
): Uint8Array => {
  const nonce = random(xchachaNonceBytes)
  const padded = pad(signalBody.encode({ sentAtMs: now, code: codeOf(signal) }), paddedBytes)
  return concatBytes(
    nonce,
    crypto.xchacha20poly1305Seal(session.sendingSignalKey, nonce, padded, session.associatedData),
  )
}

/**
 * Opens a signal of the remote. Null: not of this session, or more than 10 s from `now`. The caller drops a repeated `nonce`
 * (24 bytes), which it remembers for 20 s and by as much as the contact's clock is off.
 */
export const openSignal = (
  session: Session,
  data: Uint8Array,
  { now, crypto = noble }: { now: number; crypto?: CryptoProvider },
): { signal: Signal; nonce: Uint8Array } | null => {
  if (data.length <= xchachaNonceBytes + aeadTagBytes || data.length > maxSignalBytes) return null
  const nonce = data.slice(0, xchachaNonceBytes)
  try {
    const { receivingSignalKey, associatedData } = session
    const sealed = data.subarray(xchachaNonceBytes)
    const { sentAtMs, code } = signalBody.decode(
      unpad(crypto.xchacha20poly1305Open(receivingSignalKey, nonce, sealed, associatedData)),
    )
    return Math.abs(now - sentAtMs) > signalLifetimeMs ? null : { signal: signalOf(code), nonce }
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}
