import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { decodeEnvelope, encodeEnvelope } from '../envelope/envelope.ts'
import { handshakeMessage } from '../handshake/handshake-message.ts'
import { testBundle, testAccount, testTime } from '../identity/account.fixture.ts'
import type { PrekeyBundle } from '../identity/prekeys.ts'
import { sealedHeader } from '../ratchet/header.ts'
import { decodeUtf8, encodeUtf8, toHex } from '../wire/bytes.ts'
import { encodeCanonical } from '../wire/codec.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { countDistinctKeys, keysPerSession } from './distinct-keys.fixture.ts'
import { initiate, introduced, localOf, people, respond, type People } from './people.fixture.ts'
import {
  decodeSession,
  decryptMessage,
  encodeSession,
  encryptMessage,
  preferredSession,
  readEnvelope,
  respondToHandshake,
  type Session,
} from './session.ts'

const now = testTime
const random = seededRandom(99)
const say = (session: Session, text: string) => encryptMessage(session, encodeUtf8(text), { now, random })
const hear = (session: Session, envelope: Uint8Array) => decryptMessage(session, envelope, { now })
const textOf = ({ plaintext }: { plaintext: Uint8Array }) => decodeUtf8(plaintext)

describe('a session begins', () => {
  test('the first messages repeat one handshake until a reply came', () => {
    const who = people()
    const one = say(initiate(who), 'one')
    const two = say(one.session, 'two')
    const opened = respond(who, one.envelope)
    expect(textOf(opened)).toBe('one')
    expect(opened.initiator).toEqual({
      accountId: who.alice.accountId,
      head: who.alice.head,
      deviceId: who.alice.device.deviceId,
      identityKey: who.alice.device.identityKey,
    })
    const second = hear(opened.session, two.envelope)
    expect(textOf(second)).toBe('two')
    expect(decodeEnvelope(two.envelope).handshake).toEqual(decodeEnvelope(one.envelope).handshake)
    expect([two.session.confirmed, second.session.confirmed]).toEqual([false, false])

    const reply = say(second.session, 'three')
    const answered = hear(two.session, reply.envelope)
    expect([answered.session.confirmed, answered.session.handshake]).toEqual([true, undefined])
    const later = say(answered.session, 'four')
    expect([readEnvelope(reply.envelope).kind, readEnvelope(later.envelope).kind]).toEqual(['session', 'session'])
    expect(hear(reply.session, later.envelope).session.confirmed).toBe(true)
  })

  test('any of the first messages opens it, and the others follow in any order', () => {
    const who = people(2)
    const one = say(initiate(who), 'one')
    const two = say(one.session, 'two')
    const three = say(two.session, 'three')
    const opened = respond(who, three.envelope)
    const later = hear(opened.session, one.envelope)
    expect(textOf(later)).toBe('one')
    expect(textOf(hear(later.session, two.envelope))).toBe('two')
  })

  test('both sides hold the same session', () => {
    const { alice, bob } = introduced(people(3))
    for (const field of ['sessionId', 'associatedData', 'handshakeTag', 'generation'] as const) {
      expect(bob[field]).toEqual(alice[field])
    }
    expect([alice.role, bob.role]).toEqual(['initiator', 'responder'])
    expect(bob.sendingSignalKey).toEqual(alice.receivingSignalKey)
    expect(bob.receivingSignalKey).toEqual(alice.sendingSignalKey)
    expect(bob.sendingSignalKey).not.toEqual(bob.receivingSignalKey)
  })

  test('without a one-time prekey', () => {
    const who = people(4)
    const { oneTimePrekey: _, ...bundle } = who.bundle
    const { oneTime, ...rest } = who.prekeys
    const { envelope } = say(initiate({ ...who, bundle }), 'hello')
    expect(readEnvelope(envelope).prekeyIds).toStrictEqual({ signed: 1, kem: 3 })
    expect(textOf(respond({ ...who, prekeys: rest }, envelope))).toBe('hello')
    expect(refusal(() => respond(who, envelope))).toBe('unknown-prekey')
    expect(oneTime).toBeDefined()
  })

  test('a relay reads prekey ids and a tag, which repeats with the handshake', () => {
    const who = people(5)
    const one = say(initiate(who), 'one')
    const other = say(initiate(who), 'one')
    const summary = readEnvelope(one.envelope)
    expect(summary).toMatchObject({ kind: 'prekey', prekeyIds: { signed: 1, oneTime: 2, kem: 3 } })
    expect(summary.handshakeTag).toEqual(one.session.handshakeTag)
    expect(readEnvelope(say(one.session, 'two').envelope).handshakeTag).toEqual(summary.handshakeTag)
    expect(readEnvelope(other.envelope).handshakeTag).not.toEqual(summary.handshakeTag)
    for (const secret of [who.alice.accountId, who.alice.device.identityKey, who.alice.device.deviceId]) {
      expect(toHex(one.envelope)).not.toContain(toHex(secret))
    }
  })

  test('the first reply makes a KEM step, so later keys need more than X25519', () => {
    const { alice, bob } = introduced(people(7))
    const reply = say(bob, 'reply')
    const given = { ...noble, mlkem768Decapsulate: () => new Uint8Array(32) }
    expect(refusal(() => decryptMessage(alice, reply.envelope, { now, crypto: given }))).toBe('authentication')
    expect(refusal(() => hear(alice, reply.envelope))).toBe('accepted')
  })

  test('ten sessions with one bundle: every key distinct', () => {
    expect(countDistinctKeys(10)).toBe(10 * keysPerSession)
  })
})

describe('a handshake is refused', () => {
  test('with another responder, device or identity key than the initiator meant', () => {
    const who = people(10)
    const { envelope } = say(initiate(who), 'hello')
    const carol = localOf(testAccount(4_711))
    const device = who.bob.device
    const others = [
      { ...who.bob, accountId: carol.accountId },
      { ...who.bob, device: { ...device, deviceId: carol.device.deviceId } },
      { ...who.bob, device: { ...device, identitySecret: carol.device.identitySecret } },
      { ...who.bob, device: { ...device, identityKey: carol.device.identityKey } },
    ]
    for (const bob of others) expect(refusal(() => respond({ ...who, bob }, envelope))).toBe('authentication')
    expect(refusal(() => respond(who, envelope))).toBe('accepted')
  })

  test('with other prekeys than the initiator used', () => {
    const who = people(11)
    const { envelope } = say(initiate(who), 'hello')
    const { prekeys } = who
    const respondWith = (change: Partial<People['prekeys']>) =>
      refusal(() => respond({ ...who, prekeys: { ...prekeys, ...change } }, envelope))
    const { oneTime = prekeys.signed } = prekeys
    expect(respondWith({ signed: { ...prekeys.signed, id: 9 } })).toBe('unknown-prekey')
    expect(respondWith({ oneTime: { ...oneTime, id: 9 } })).toBe('unknown-prekey')
    expect(respondWith({ kem: { ...prekeys.kem, id: 9 } })).toBe('unknown-prekey')
    expect(respondWith({ signed: { ...oneTime, id: 1 } })).toBe('unknown-prekey')
    expect(respondWith({ kem: { ...prekeys.kem, kind: 'last-resort-kem' } })).toBe('authentication')
    expect(respondWith({ signed: { ...prekeys.signed, secret: oneTime.secret } })).toBe('authentication')
  })

  test('from somebody who names an identity that is not theirs', () => {
    const who = people(12)
    const carol = localOf(testAccount(4_712))
    const { identityKey, deviceId } = carol.device
    const liars = [
      { ...who.alice, device: { ...who.alice.device, identityKey } },
      { ...carol, device: { ...who.alice.device, identityKey, deviceId } },
    ]
    for (const alice of liars) {
      const { envelope } = say(initiate({ ...who, alice }), 'I am Carol')
      expect(refusal(() => respond(who, envelope))).toBe('foreign')
    }
  })

  test('when its ratchet key is its ephemeral key, and between a device and itself', () => {
    const who = people(13)
    const same = { ...who, random: (length: number) => new Uint8Array(length).fill(3) }
    const { envelope } = encryptMessage(initiate(same), encodeUtf8('hello'), { now, random: same.random })
    expect(refusal(() => respond(who, envelope))).toBe('key')
    expect(refusal(() => initiate({ ...who, alice: who.bob }))).toBe('key')
  })

  test('without its KEM part, on either side', () => {
    const who = people(14)
    const { bundle } = who
    const stripped = (kemPrekey: unknown) =>
      refusal(() => initiate({ ...who, bundle: { ...bundle, kemPrekey } as PrekeyBundle }))
    expect(stripped(undefined)).not.toBe('accepted')
    expect(stripped(bundle.oneTimePrekey)).toBe('malformed')
    expect(stripped({ ...bundle.kemPrekey, key: bundle.signedPrekey.key })).toBe('malformed')
    expect(stripped({ ...bundle.kemPrekey, signature: bundle.signedPrekey.signature })).toBe('signature')
    expect(stripped({ ...testBundle(testAccount(4_713)).bundle.kemPrekey })).toBe('signature')
    const { envelope } = say(initiate(who), 'hello')
    const withoutSecret = { ...noble, mlkem768Decapsulate: () => new Uint8Array(32) }
    expect(refusal(() => respond({ ...who, crypto: withoutSecret }, envelope))).toBe('authentication')
    expect(refusal(() => respond(who, envelope))).toBe('accepted')
    const decoded = decodeEnvelope(envelope)
    const fields = handshakeMessage.toMap(handshakeMessage.decode(decoded.handshake ?? new Uint8Array(0)))
    fields.delete(4)
    const cut = encodeCanonical(fields)
    expect(refusal(() => respond(who, encodeEnvelope({ ...decoded, handshake: cut })))).toBe('malformed')
  })
})

describe('messages', () => {
  test('a repeat is a duplicate; a stranger is foreign; the given session is untouched', () => {
    const who = people(20)
    const { alice, bob, first } = introduced(who)
    const reply = say(bob, 'reply')
    const opened = hear(alice, reply.envelope)
    const before = encodeSession(opened.session)
    expect(refusal(() => hear(opened.session, reply.envelope))).toBe('duplicate')
    expect(refusal(() => hear(bob, first))).toBe('duplicate')
    const stranger = introduced(people(21))
    expect(refusal(() => hear(opened.session, say(stranger.bob, 'x').envelope))).toBe('foreign')
    expect(refusal(() => hear(bob, stranger.first))).toBe('foreign')
    expect(refusal(() => hear(alice, first))).toBe('foreign')
    expect(encodeSession(opened.session)).toEqual(before)
  })

  test('every part of the envelope is bound to the body', () => {
    const { alice, bob } = introduced(people(22))
    const prekey = decodeEnvelope(say(alice, 'one').envelope)
    const { handshake: _, ...withoutHandshake } = prekey
    const asSession = encodeEnvelope({ ...withoutHandshake, kind: 'session' })
    expect(refusal(() => hear(bob, asSession))).toBe('authentication')
    const otherNonce = encodeEnvelope({ ...prekey, nonce: new Uint8Array(24) })
    expect(refusal(() => hear(bob, otherNonce))).toBe('foreign')
    const another = decodeEnvelope(say(say(alice, 'one').session, 'two').envelope)
    expect(refusal(() => hear(bob, encodeEnvelope({ ...prekey, header: another.header })))).toBe('foreign')
    // Another header under the same key and nonce, of the same message: the message key is right, the bytes are not.
    const { headerKey } = alice.ratchet.sending ?? expect.fail('alice has sent')
    const tools = { crypto: noble, nonce: prekey.nonce }
    const plain = sealedHeader.open(prekey.header, headerKey, tools) ?? expect.fail('her own header')
    const header = sealedHeader.seal({ ...plain, previousCount: 1 }, headerKey, tools)
    expect(refusal(() => hear(bob, encodeEnvelope({ ...prekey, header })))).toBe('authentication')
    const otherAd = { ...bob, associatedData: new Uint8Array(32) }
    expect(refusal(() => hear(otherAd, encodeEnvelope(prekey)))).toBe('authentication')
    expect(refusal(() => hear(bob, encodeEnvelope(prekey)))).toBe('accepted')
  })

  test('two envelopes made from one state share neither key nor nonce', () => {
    const { alice } = introduced(people(23))
    const [one, two] = [say(alice, 'same'), say(alice, 'same')].map(({ envelope }) => decodeEnvelope(envelope))
    expect(one?.ciphertext).not.toEqual(two?.ciphertext)
    expect(one?.header).not.toEqual(two?.header)
  })

  test('lengths fall into buckets, up to a limit', () => {
    const { alice, bob } = introduced(people(24))
    const lengthsOf = (session: Session, lengths: readonly number[]) =>
      lengths.map((length) => encryptMessage(session, new Uint8Array(length), { now, random }).envelope.length)
    // With the handshake and a KEM key; with its answer; and, once that has opened, with neither.
    expect(lengthsOf(alice, [0, 100, 200, 1_000])).toEqual([2_688, 2_688, 2_816, 3_584])
    expect(lengthsOf(bob, [0, 1, 200, 1_000])).toEqual([1_216, 1_216, 1_408, 2_304])
    const { session } = hear(alice, say(bob, 'reply').envelope)
    expect(lengthsOf(session, [0, 1, 158, 159, 200, 1_000])).toEqual([256, 256, 256, 272, 304, 1_152])
    const large = encryptMessage(session, new Uint8Array(65_438), { now, random })
    expect(large.envelope).toHaveLength(65_536)
    expect(refusal(() => encryptMessage(session, new Uint8Array(65_439), { now, random }))).toBe('limit')
  })

  test('the longest and the empty content come back', () => {
    const { alice, bob } = introduced(people(26))
    for (const length of [0, 64_294]) {
      const { envelope } = encryptMessage(bob, new Uint8Array(length).fill(1), { now, random })
      expect(hear(alice, envelope).plaintext).toEqual(new Uint8Array(length).fill(1))
    }
  })

  test('a responder answers a prekey envelope only', () => {
    const who = people(25)
    const { envelope } = say(introduced(who).bob, 'reply')
    const { bob: local, prekeys } = who
    expect(refusal(() => respondToHandshake({ local, envelope, prekeys, now }))).toBe('foreign')
  })
})

describe('which session', () => {
  test('the highest generation, then the lower id, whatever the order', () => {
    const who = people(30)
    const [low, a, b] = [initiate(who, 1), initiate(who, 2), initiate(who, 2)]
    const lower = toHex(a.sessionId) < toHex(b.sessionId) ? a : b
    for (const sessions of [
      [low, a, b],
      [b, a, low],
      [a, low, b],
    ])
      expect(preferredSession(sessions)).toBe(lower)
    expect(refusal(() => preferredSession([]))).toBe('foreign')
  })
})

describe('session record', () => {
  test('comes back the same, in every stage', () => {
    const { alice, bob } = introduced(people(40))
    const reply = say(bob, 'reply')
    const skipped = hear(alice, say(say(bob, 'lost').session, 'kept').envelope).session
    for (const session of [initiate(people(41)), alice, bob, reply.session, skipped]) {
      const record = encodeSession(session)
      expect(decodeSession(record)).toEqual(session)
      expect(encodeSession(decodeSession(record))).toEqual(record)
    }
    const settled = hear(say(hear(alice, reply.envelope).session, 'lost').session, say(reply.session, 'kept').envelope)
    expect(encodeSession(settled.session).length).toBeLessThan(700)
    // While a KEM key or ciphertext of the newest chain is repeated.
    expect(encodeSession(reply.session).length).toBeLessThan(1_800)
  })

  test('refuses other versions and states that cannot be', () => {
    const { alice, bob } = introduced(people(42))
    const record = encodeSession(bob)
    expect([record[1], record[2]]).toEqual([0, 2])
    expect(refusal(() => decodeSession(record.with(2, 3)))).toBe('version')
    expect(refusal(() => decodeSession(record.subarray(1)))).toBe('malformed')
    expect(refusal(() => encodeSession({ ...alice, confirmed: true }))).toBe('malformed')
    const { handshake: _, ...without } = alice
    expect(refusal(() => encodeSession(without))).toBe('malformed')
  })
})
