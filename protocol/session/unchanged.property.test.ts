import { assert, nat, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeProvider as crypto } from '../crypto/node-provider.fixture.ts'
import { decodeEnvelope, encodeEnvelope, type Envelope } from '../envelope/envelope.ts'
import { testTime as now } from '../identity/account.fixture.ts'
import { encodeUtf8, equalBytes } from '../wire/bytes.ts'
import { seededPick, type Pick } from '../wire/fuzz.fixture.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { runs } from '../wire/seed.fixture.ts'
import { introduced, people } from './people.fixture.ts'
import { decryptMessage, encodeSession, encryptMessage, type Session } from './session.ts'

const who = people(70, crypto)
const { random } = who
const say = (session: Session) =>
  encryptMessage(session, encodeUtf8('a message of some length'), { now, random, crypto })
const hear = (session: Session, envelope: Uint8Array) => decryptMessage(session, envelope, { now, crypto })

interface Scene {
  readonly receiver: Session
  readonly envelope: Uint8Array
  /** Other envelopes to the same receiver, to take parts from. */
  readonly others: readonly Uint8Array[]
}

/**
 * A receiver somewhere in a conversation, an envelope that it would open, and others: the next of its chain, one that opens a
 * chain, one of a chain with a KEM step, one among skipped ones, one of an unconfirmed initiator.
 */
const scene = (pick: Pick): Scene => {
  let { alice, bob }: { alice: Session; bob: Session } = introduced(who)
  for (let i = pick(4); i > 0; i--) {
    const there = say(alice)
    bob = hear(bob, there.envelope).session
    const back = say(bob)
    bob = back.session
    alice = hear(there.session, back.envelope).session
  }
  const [sender, receiver] =
    alice.confirmed && pick(2) === 0 ? [alice, bob] : pick(2) === 0 ? [bob, alice] : [alice, bob]
  const sent: Uint8Array[] = []
  let next = sender
  for (let i = 0; i < 5; i++) {
    const { session, envelope } = say(next)
    sent.push(envelope)
    next = session
  }
  const [envelope, ...others] = sent.splice(pick(5), 1).concat(sent)
  const skips = pick(2) === 0 ? (others[3] ?? expect.fail('five were sent')) : undefined
  return {
    receiver: skips === undefined ? receiver : hear(receiver, skips).session,
    envelope: envelope ?? expect.fail('five were sent'),
    others,
  }
}

/** The envelope with one of its parts taken from another, or with one bit of a part turned over; every part in turn. */
function* tampered({ envelope, others }: Scene, pick: Pick): Generator<readonly [part: string, Uint8Array]> {
  const decoded = decodeEnvelope(envelope)
  const parts = Object.entries(decoded).flatMap(([name, value]) =>
    value instanceof Uint8Array ? [[name, value] as const] : [],
  )
  for (const [name, value] of parts) {
    for (const other of others) {
      const replacement: unknown = decodeEnvelope(other)[name as keyof Envelope]
      const isSame = replacement instanceof Uint8Array && equalBytes(replacement, value)
      if (replacement !== undefined && !isSame) yield [name, encodeEnvelope({ ...decoded, [name]: replacement })]
    }
    const at = pick(value.length)
    const flipped = value.with(at, (value[at] ?? 0) ^ (1 << pick(8)))
    yield [`${name} ${at}`, encodeEnvelope({ ...decoded, [name]: flipped })]
  }
  const { handshake, ...session } = decoded
  if (handshake !== undefined) yield ['kind', encodeEnvelope({ ...session, kind: 'session' })]
  for (let i = 0; i < 30; i++) {
    const at = pick(envelope.length)
    yield [`byte ${at}`, envelope.with(at, (envelope[at] ?? 0) ^ (1 << pick(8)))]
  }
  yield ['cut', envelope.subarray(0, pick(envelope.length))]
}

describe('a call that fails', () => {
  test(
    'leaves every byte of the given session as it was, whatever part was tampered with',
    { timeout: 120_000 },
    () => {
      assert(
        property(nat(), (seed) => {
          const pick = seededPick(seed)
          const given = scene(pick)
          const before = encodeSession(given.receiver)
          for (const [part, envelope] of tampered(given, pick)) {
            expect(
              refusal(() => hear(given.receiver, envelope)),
              part,
            ).not.toBe('accepted')
            expect(equalBytes(encodeSession(given.receiver), before), part).toBe(true)
          }
          const { associatedData } = given.receiver
          const elsewhere = { ...given.receiver, associatedData: associatedData.with(pick(32), pick(256)) }
          const isSame = equalBytes(elsewhere.associatedData, associatedData)
          expect(refusal(() => hear(elsewhere, given.envelope))).toBe(isSame ? 'accepted' : 'authentication')
          // And it still opens what was not tampered with, from the very same state.
          const opened = hear(given.receiver, given.envelope).session
          expect(equalBytes(encodeSession(given.receiver), before)).toBe(true)
          const after = encodeSession(opened)
          expect(refusal(() => hear(opened, given.envelope))).toBe('duplicate')
          expect(refusal(() => encryptMessage(opened, new Uint8Array(65_536), { now, random, crypto }))).toBe('limit')
          expect(equalBytes(encodeSession(opened), after)).toBe(true)
        }),
        runs(25),
      )
    },
  )
})
