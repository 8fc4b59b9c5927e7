import { assert, boolean, nat, property, record } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeProvider as crypto } from '../crypto/node-provider.fixture.ts'
import { profile } from '../crypto/profile.ts'
import { initiateHandshake, respondHandshake, type RespondingDevice } from '../handshake/pqxdh.ts'
import { decodeEnvelope, encodeEnvelope } from '../envelope/envelope.ts'
import { testAccount, testTime as now, type TestAccount } from '../identity/account.fixture.ts'
import { generatePrekeys, type PrekeyBundle, type PrekeyKind } from '../identity/prekeys.ts'
import { encodeUtf8, equalBytes, toHex } from '../wire/bytes.ts'
import { seededPick, type Pick } from '../wire/fuzz.fixture.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { runs } from '../wire/seed.fixture.ts'
import { initiate, localOf, respond, type People } from './people.fixture.ts'
import { respondingDevice } from './responding-device.ts'
import { encryptMessage } from './session.ts'

const prekey = ({ accountId, device }: TestAccount, kind: PrekeyKind, firstId: number, seed: number) => {
  const made = generatePrekeys({ accountId, device, kind, firstId, count: 1, now, random: seededRandom(seed) })
  const [published, secret] = [made.published[0], made.secrets[0]]
  return published === undefined || secret === undefined ? expect.fail('one was asked for') : { published, secret }
}

/** Two people with keys from `seed`; with or without a one-time prekey, either kind of KEM prekey. */
const strangers = (seed: number, hasOneTime: boolean, isLastResort: boolean): People => {
  const bob = testAccount(seed + 1)
  const signed = prekey(bob, 'signed', 1 + (seed % 1_000), seed + 2)
  const oneTime = prekey(bob, 'one-time', 2_000, seed + 3)
  const kem = prekey(bob, isLastResort ? 'last-resort-kem' : 'one-time-kem', 3_000, seed + 4)
  return {
    alice: localOf(testAccount(seed)),
    bob: localOf(bob),
    bundle: {
      accountId: bob.accountId,
      deviceId: bob.device.deviceId,
      signedPrekey: signed.published,
      ...(hasOneTime && { oneTimePrekey: oneTime.published }),
      kemPrekey: kem.published,
    },
    prekeys: { signed: signed.secret, ...(hasOneTime && { oneTime: oneTime.secret }), kem: kem.secret },
    random: seededRandom(seed + 5),
    crypto,
  }
}

/** The responder with one thing other than the initiator was told: each of them must be bound. */
const swapped = (device: RespondingDevice, pick: Pick): readonly (readonly [what: string, RespondingDevice])[] => {
  const turned = (bytes: Uint8Array): Uint8Array => {
    const at = pick(bytes.length)
    return bytes.with(at, (bytes[at] ?? 0) ^ (1 << pick(8)))
  }
  const { signedPrekey, oneTimePrekey, kemPrekey, secrets } = device
  return [
    ['account', { ...device, accountId: turned(device.accountId) }],
    ['device', { ...device, deviceId: turned(device.deviceId) }],
    ['identity key', { ...device, identityKey: turned(device.identityKey) }],
    [
      'identity secret',
      { ...device, secrets: { ...secrets, identitySecret: turned(secrets.identitySecret).with(1, 9) } },
    ],
    ['id of the signed prekey', { ...device, signedPrekey: { ...signedPrekey, id: signedPrekey.id + 1 } }],
    ['signed prekey', { ...device, signedPrekey: { ...signedPrekey, key: turned(signedPrekey.key) } }],
    ['its flag', { ...device, signedPrekey: { ...signedPrekey, lastResort: !signedPrekey.lastResort } }],
    ['id of the KEM prekey', { ...device, kemPrekey: { ...kemPrekey, id: kemPrekey.id + 1 } }],
    ['KEM prekey', { ...device, kemPrekey: { ...kemPrekey, key: turned(kemPrekey.key) } }],
    ['its last-resort flag', { ...device, kemPrekey: { ...kemPrekey, lastResort: !kemPrekey.lastResort } }],
    ...(oneTimePrekey === undefined
      ? []
      : ([
          ['one-time prekey', { ...device, oneTimePrekey: { ...oneTimePrekey, key: turned(oneTimePrekey.key) } }],
          ['id of it', { ...device, oneTimePrekey: { ...oneTimePrekey, id: oneTimePrekey.id + 1 } }],
          ['flag of it', { ...device, oneTimePrekey: { ...oneTimePrekey, lastResort: true } }],
        ] as const)),
  ]
}

/** The bundle with one byte, id, flag or time of one prekey changed, or with another's prekey: all of it is signed. */
const forged = (bundle: PrekeyBundle, pick: Pick): readonly (readonly [what: string, PrekeyBundle])[] =>
  (['signedPrekey', 'oneTimePrekey', 'kemPrekey'] as const).flatMap((name) => {
    const prekeyOf = bundle[name]
    if (prekeyOf === undefined) return []
    const at = pick(64)
    const changes = [
      { key: prekeyOf.key.with(1, (prekeyOf.key[1] ?? 0) ^ 4) },
      { signature: prekeyOf.signature.with(at, (prekeyOf.signature[at] ?? 0) ^ (1 << pick(8))) },
      { id: prekeyOf.id + 1 },
      { lastResort: !prekeyOf.lastResort },
      { createdAtMs: prekeyOf.createdAtMs + 1 },
    ]
    return changes.map((change) => [
      `${name}: ${Object.keys(change).join()}`,
      { ...bundle, [name]: { ...prekeyOf, ...change } } as PrekeyBundle,
    ])
  })

const given = record({ seed: nat(), hasOneTime: boolean(), isLastResort: boolean() })

describe('a handshake between any two', () => {
  test('gives both the same SK, AD and tag, and one session; a changed byte gives none', { timeout: 120_000 }, () => {
    assert(
      property(given, ({ seed, hasOneTime, isLastResort }) => {
        const who = strangers(seed, hasOneTime, isLastResort)
        const pick = seededPick(seed)
        const { session: alice, envelope } = encryptMessage(initiate(who), encodeUtf8('hello'), { now, ...who })
        const { session: far, plaintext, initiator } = respond(who, envelope)
        expect([plaintext, initiator.identityKey]).toEqual([encodeUtf8('hello'), who.alice.device.identityKey])
        for (const field of ['sessionId', 'associatedData', 'handshakeTag', 'generation'] as const)
          expect(far[field]).toEqual(alice[field])
        expect([far.sendingSignalKey, far.receivingSignalKey]).toEqual([
          alice.receivingSignalKey,
          alice.sendingSignalKey,
        ])
        for (const [what, bundle] of forged(who.bundle, pick))
          expect(
            refusal(() => initiate({ ...who, bundle })),
            what,
          ).not.toBe('accepted')
        for (const bob of [
          { ...who.bob, accountId: who.alice.accountId },
          { ...who.bob, device: { ...who.bob.device, deviceId: who.alice.device.deviceId } },
          { ...who.bob, device: { ...who.bob.device, deviceKey: who.alice.device.deviceKey } },
        ])
          expect(refusal(() => initiate({ ...who, bob }))).not.toBe('accepted')
        const decoded = decodeEnvelope(envelope)
        const handshake = decoded.handshake ?? expect.fail('it opens a session')
        for (let i = 0; i < 12; i++) {
          const at = pick(handshake.length)
          const changed = handshake.with(at, (handshake[at] ?? 0) ^ (1 << pick(8)))
          const code = refusal(() => respond(who, encodeEnvelope({ ...decoded, handshake: changed })))
          expect(code, `byte ${at}`).not.toBe('accepted')
        }
      }),
      runs(8),
    )
  })

  test('SK, AD and tag depend on everything the two must agree on', { timeout: 120_000 }, () => {
    assert(
      property(given, ({ seed, hasOneTime, isLastResort }) => {
        const who = strangers(seed, hasOneTime, isLastResort)
        const context = { crypto, profile }
        const device = respondingDevice(crypto, who.bob, who.prekeys)
        const { accountId, head } = who.alice
        const initiator = { accountId, head, generation: 1, ...who.alice.device }
        const sent = initiateHandshake(context, initiator, device, who.random)
        const answered = respondHandshake(context, device, sent.message)
        for (const key of ['secret', 'associatedData', 'tag'] as const)
          expect(toHex(answered[key])).toBe(toHex(sent[key]))
        for (const [what, other] of swapped(device, seededPick(seed)))
          expect(
            refusal(() => respondHandshake(context, other, sent.message)),
            what,
          ).not.toBe('accepted')
        // What the initiator says of itself is in SK and AD, so each other thing said gives another session.
        const random = seededRandom(seed)
        const others = [
          { ...initiator, accountId: random(32) },
          { ...initiator, deviceId: random(16) },
        ]
        for (const other of others) {
          const said = initiateHandshake(context, other, device, seededRandom(seed + 5))
          const same = initiateHandshake(context, initiator, device, seededRandom(seed + 5))
          expect(equalBytes(said.secret, same.secret)).toBe(false)
          expect(equalBytes(said.associatedData, same.associatedData)).toBe(false)
        }
      }),
      runs(8),
    )
  })
})
