import { expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import { testTime } from '../identity/account.fixture.ts'
import { encodeUtf8 } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import { introduced, people, type People } from './people.fixture.ts'
import { decryptMessage, encryptMessage, readEnvelope, respondToHandshake, type Session } from './session.ts'

/** What an envelope makes its receiver do (`spec/audit.md`, point 14): the dear calls of the provider, by name. */
type Work = Partial<Record<keyof CryptoProvider, number>>

const dear = ['x25519PublicKey', 'x25519', 'mlkem768Keygen', 'mlkem768Encapsulate', 'mlkem768Decapsulate'] as const
const frequent = ['hmacSha256Pair', 'xchacha20poly1305Open'] as const

/** Calls that `run` makes; a refusal is an end like any other. */
const workOf = (run: (crypto: CryptoProvider) => unknown): { work: Work; end: string } => {
  const work: Work = {}
  const counted = Object.fromEntries(
    [...dear, ...frequent].map((name) => [
      name,
      (...args: never[]) => {
        work[name] = (work[name] ?? 0) + 1
        return (noble[name] as (...given: never[]) => unknown)(...args)
      },
    ]),
  )
  try {
    run({ ...noble, ...counted } as CryptoProvider)
    return { work, end: 'opened' }
  } catch (error) {
    if (error instanceof ProtocolError) return { work, end: error.code }
    throw error
  }
}

const who: People = people(90)
const { first, alice, bob } = introduced(who)
const say = (session: Session) => encryptMessage(session, encodeUtf8('x'), { now: testTime, random: who.random })
const respond = (envelope: Uint8Array) => (crypto: CryptoProvider) => {
  readEnvelope(envelope, crypto)
  return respondToHandshake({ local: who.bob, envelope, prekeys: who.prekeys, now: testTime, crypto })
}
const open = (session: Session, envelope: Uint8Array) => (crypto: CryptoProvider) =>
  decryptMessage(session, envelope, { now: testTime, crypto })
const flipped = (envelope: Uint8Array, at: number): Uint8Array =>
  envelope.with(at, (envelope.at(at) ?? 0) ^ 1) as Uint8Array

test('a handshake that anybody could have made up: five scalar multiplications, one KEM key and one decapsulation', () => {
  // Byte 200 is in the KEM ciphertext: another secret, and the identity does not open.
  expect(workOf(respond(flipped(first, 200)))).toEqual({
    work: { x25519PublicKey: 2, x25519: 3, mlkem768Keygen: 1, mlkem768Decapsulate: 1 },
    end: 'authentication',
  })
})

test('a handshake in all form: two more, and its KEM key looked at without an encapsulation', () => {
  const work = { x25519PublicKey: 2, x25519: 5, mlkem768Keygen: 1, mlkem768Decapsulate: 1 }
  const symmetric = { hmacSha256Pair: 1, xchacha20poly1305Open: 2 }
  expect(workOf(respond(first))).toEqual({ work: { ...work, ...symmetric }, end: 'opened' })
})

test('a first message that names number 1,000: a thousand chain steps more, and not one above', () => {
  let session = alice
  for (let number = 1; number < 1_000; number++) session = say(session).session
  const late = say(session)
  expect(workOf(respond(late.envelope)).work.hmacSha256Pair).toBe(1_001)
  const { work, end } = workOf(respond(say(late.session).envelope))
  expect([work.hmacSha256Pair, end]).toEqual([undefined, 'limit'])
})

test('an envelope of nobody, tried with a session: one opening per header key, nothing else', () => {
  const stranger = introduced(people(91))
  const foreign = say(decryptMessage(stranger.alice, say(stranger.bob).envelope, { now: testTime }).session).envelope
  expect(workOf(open(bob, foreign))).toEqual({ work: { xchacha20poly1305Open: 1 }, end: 'foreign' })
  const both = say(bob).session
  expect(workOf(open(both, foreign))).toEqual({ work: { xchacha20poly1305Open: 2 }, end: 'foreign' })
})

test('a later message: no scalar multiplication; a new chain: one, and what belongs to a KEM step', () => {
  expect(workOf(open(bob, say(alice).envelope))).toEqual({
    work: { hmacSha256Pair: 1, xchacha20poly1305Open: 2 },
    end: 'opened',
  })
  const reply = say(bob).envelope
  const opened = { x25519: 1, mlkem768Keygen: 1, mlkem768Decapsulate: 1, hmacSha256Pair: 1, xchacha20poly1305Open: 2 }
  expect(workOf(open(alice, reply))).toEqual({ work: opened, end: 'opened' })
  // A copy with a changed body costs the same, every time it comes.
  expect(workOf(open(alice, flipped(reply, -1)))).toEqual({ work: opened, end: 'authentication' })
})
