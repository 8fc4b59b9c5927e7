import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import { testTime } from '../identity/account.fixture.ts'
import type { PrekeyKind } from '../identity/prekeys.ts'
import { encodeUtf8 } from '../wire/bytes.ts'
import { encodeCanonical } from '../wire/cbor.ts'
import { refusalInFull } from '../wire/refusal.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { initiate, introduced, people, respond } from './people.fixture.ts'
import {
  decodeSession,
  decryptMessage,
  encodeSession,
  encryptMessage,
  initiateSession,
  preferredSession,
  respondToHandshake,
  type Session,
} from './session.ts'
import { sessionRecord } from './session-record.ts'

const now = testTime
const random = seededRandom(98)
const who = people(200)
const { alice, bob, first } = introduced(who)
const say = (session: Session, crypto: CryptoProvider = noble) =>
  encryptMessage(session, encodeUtf8('text'), { now, random, crypto })
const reply = say(bob)

/** How a session refuses an envelope; it must stay as it is. */
const refused = (session: Session, envelope: Uint8Array): string => {
  const before = encodeSession(session)
  const reason = refusalInFull(() => decryptMessage(session, envelope, { now }))
  expect(encodeSession(session)).toEqual(before)
  return reason
}

describe('every refusal says what is wrong', () => {
  test('of an envelope that belongs elsewhere', () => {
    const elsewhere = 'foreign: session: the envelope opens another session'
    expect(refused(alice, first)).toBe(elsewhere)
    expect(refused({ ...bob, handshakeTag: random(32) }, say(alice).envelope)).toBe(elsewhere)
    expect(refused(bob, say(alice).envelope)).toBe('accepted')
    expect(refused(bob, first)).toBe('duplicate: ratchet: message number is spent')
    const { bob: local, prekeys } = who
    const answered = () => respondToHandshake({ local, envelope: reply.envelope, prekeys, now })
    expect(refusalInFull(answered)).toBe('foreign: session: the envelope opens no session')
    expect(refusalInFull(() => preferredSession([]))).toBe('foreign: session: there is none with this device')
  })

  test('of a first ratchet key that is the handshake key', () => {
    const same = (length: number) => new Uint8Array(length).fill(3)
    const { envelope } = encryptMessage(initiate({ ...who, random: same }), encodeUtf8('x'), { now, random: same })
    expect(refusalInFull(() => respond(who, envelope))).toBe('key: session: the first ratchet key is the handshake key')
  })

  test.each<['signed' | 'oneTime' | 'kem', PrekeyKind, boolean]>([
    ['signed', 'one-time', false],
    ['signed', 'one-time-kem', false],
    ['oneTime', 'signed', false],
    ['oneTime', 'last-resort-kem', false],
    ['kem', 'signed', false],
    ['kem', 'one-time', false],
    ['kem', 'one-time-kem', true],
  ])('of a prekey in the place of another: %s of kind %s', (slot, kind, isFit) => {
    const prekey = who.prekeys[slot] ?? expect.fail('a prekey of each sort')
    const prekeys = { ...who.prekeys, [slot]: { ...prekey, kind } }
    expect(refusalInFull(() => respond({ ...who, prekeys }, first))).toBe(
      isFit ? 'accepted' : `unknown-prekey: prekey of kind ${kind} stands in another's place`,
    )
  })

  test('of a bundle older than one that was seen', () => {
    const initiated = (seenSignedAtMs: number) =>
      refusalInFull(() =>
        initiateSession({
          ...{ local: who.alice, remoteAccountId: who.bob.accountId, remoteDevice: who.bob.device },
          ...{ bundle: who.bundle, generation: 1, now, random, seenSignedAtMs },
        }),
      )
    expect(initiated(testTime)).toBe('accepted')
    expect(initiated(testTime + 1)).toBe('conflict: prekey bundle: its signed prekey is older than one already seen')
  })

  test('of a record', () => {
    const encoded = (change: Partial<Session>) => refusalInFull(() => encodeSession({ ...alice, ...change }))
    const until = 'malformed: session: an initiator keeps its handshake until the first reply, and no longer'
    const { handshake, ...without } = alice
    expect(refusalInFull(() => encodeSession(without))).toBe(until)
    expect(encoded({ confirmed: true })).toBe(until)
    expect(encoded({ role: 'responder' })).toBe(until)
    expect(refusalInFull(() => encodeSession({ ...without, role: 'responder' }))).toBe('accepted')
    expect(refusalInFull(() => encodeSession({ ...without, confirmed: true }))).toBe('accepted')
    expect(encoded({ handshake: encodeCanonical([]) })).toBe('malformed: handshake: expected a map')
    expect(encoded({ handshake: new Uint8Array(0) })).toBe('malformed: session.handshake: expected at least 1 bytes')
    expect(encoded({ handshake: new Uint8Array(2_049) })).toBe('limit: session.handshake: over the limit of 2048 bytes')
    expect(encoded({ sessionId: random(15) })).toBe('malformed: session.sessionId: expected 16 bytes')
    expect(encoded({ role: 'both' as 'initiator' })).toBe('malformed: session.role: expected a known name')
    const newer = encodeSession(bob).with(2, 3)
    expect(refusalInFull(() => decodeSession(newer))).toBe('version: session: made by another version of Sotto')
    expect([alice, bob].map((session) => (sessionRecord.toMap(session) as Map<number, unknown>).get(2))).toEqual([0, 1])
    expect(handshake).toBeDefined()
  })
})

describe('the primitives given are the ones used', () => {
  const broken: CryptoProvider = {
    ...noble,
    xchacha20poly1305Seal: (key, nonce, plaintext) => noble.xchacha20poly1305Seal(key, nonce, plaintext, random(1)),
    hmacSha256Pair: (key, one, other) => [...noble.hmacSha256Pair(key, other, one)] as const,
  }

  test('when sending and when receiving', () => {
    expect(refused(alice, say(bob, broken).envelope)).toBe('foreign: ratchet: no header key of this session fits')
    const swapped = { ...noble, hmacSha256Pair: broken.hmacSha256Pair }
    expect(refused(alice, say(bob, swapped).envelope)).toMatch(/^authentication: /)
    const heard = refusalInFull(() => decryptMessage(alice, reply.envelope, { now, crypto: swapped }))
    expect(heard).toMatch(/^authentication: /)
  })
})

describe('secrets that served are wiped', () => {
  const seen: Uint8Array[] = []
  const keep = (bytes: Uint8Array): Uint8Array => {
    seen.push(bytes)
    return bytes
  }
  /** Notes what every derivation starts from, what it gives for several keys at once, and every decapsulation key. */
  const watching: CryptoProvider = {
    ...noble,
    hkdfSha256: (ikm, salt, info, length) => {
      const okm = noble.hkdfSha256(keep(ikm), salt, info, length)
      return length === 96 ? keep(okm) : okm
    },
    mlkem768Keygen: (seed) => {
      const { encapsulationKey, decapsulationKey } = noble.mlkem768Keygen(seed)
      return { encapsulationKey, decapsulationKey: keep(decapsulationKey) }
    },
  }
  const left = (run: () => unknown): number => {
    seen.length = 0
    run()
    expect(seen.length).toBeGreaterThan(1)
    return seen.filter((bytes) => bytes.some((byte) => byte !== 0)).length
  }

  test('by an initiator', () => {
    expect(left(() => initiate({ ...who, crypto: watching }))).toBe(0)
  })

  test('by a responder, also one that refuses', () => {
    expect(left(() => respond({ ...who, crypto: watching }, first))).toBe(0)
    const elsewhere = { ...who, bob: { ...who.bob, accountId: random(32) }, crypto: watching }
    expect(left(() => expect(refusalInFull(() => respond(elsewhere, first))).toMatch(/^authentication/))).toBe(0)
  })
})
