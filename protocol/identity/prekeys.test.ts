import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { refusal, refusalInFull } from '../wire/refusal.fixture.ts'
import { ownVersions } from '../wire/versions.ts'
import { testAccount, testBundle, testTime } from './account.fixture.ts'
import {
  bundleVersions,
  decodePrekeySecret,
  encodePrekeySecret,
  generatePrekeys,
  prekeyBundle,
  signedPublicKey,
  verifyBundle,
  verifyPrekey,
  type PrekeyBundle,
  type PrekeyKind,
  type PrekeySecret,
  type SignedPublicKey,
} from './prekeys.ts'

const bob = testAccount(1)
const mallory = testAccount(2)
const owner = { accountId: bob.accountId, deviceId: bob.device.deviceId, deviceKey: bob.device.deviceKey }
const { bundle } = testBundle(bob)
const kinds: PrekeyKind[] = ['signed', 'one-time', 'one-time-kem', 'last-resort-kem']

const make = (kind: PrekeyKind, firstId = 10, count = 1, account = bob) => {
  const { accountId, device } = account
  const random = seededRandom(firstId)
  return generatePrekeys({ accountId, device, kind, firstId, count, now: testTime, random })
}
const one = (kind: PrekeyKind): SignedPublicKey => make(kind).published[0] as SignedPublicKey

describe.each(kinds)('%s', (kind) => {
  const isKem = kind.endsWith('kem')

  test('is generated with ascending ids, the right lengths and valid signatures', () => {
    const { published, secrets } = make(kind, 5, 3)
    expect(published.map(({ id }) => id)).toEqual([5, 6, 7])
    expect(secrets.map(({ id }) => id)).toEqual([5, 6, 7])
    for (const prekey of published) {
      expect(prekey.key).toHaveLength(isKem ? 1_184 : 32)
      expect(prekey.lastResort).toBe(kind === 'last-resort-kem')
      expect([prekey.kind, prekey.createdAtMs]).toEqual([kind, testTime])
      verifyPrekey(prekey, owner)
    }
    expect(new Set(published.map(({ key }) => key.join())).size).toBe(3)
  })

  test('the secret is the private half', () => {
    const { published, secrets } = make(kind)
    const secret = secrets[0]?.secret ?? new Uint8Array(0)
    const key = isKem ? noble.mlkem768Keygen(secret).encapsulationKey : noble.x25519PublicKey(secret)
    expect(published[0]?.key).toEqual(key)
    expect(secrets).toStrictEqual([{ id: 10, kind, secret, createdAtMs: testTime }])
  })

  test('public and secret halves come back from their encodings', () => {
    const { published, secrets } = make(kind)
    const [prekey, secret] = [published[0] as SignedPublicKey, secrets[0] as (typeof secrets)[0]]
    expect(signedPublicKey.decode(signedPublicKey.encode(prekey))).toEqual(prekey)
    const full = { ...secret, relayKey: new Uint8Array(32).fill(7), replacedAtMs: testTime + 1 }
    expect(decodePrekeySecret(encodePrekeySecret(full))).toEqual(full)
    expect(decodePrekeySecret(encodePrekeySecret(secret))).toEqual(secret)
  })

  test.each<[string, (prekey: SignedPublicKey) => SignedPublicKey]>([
    ['id', (p) => ({ ...p, id: p.id + 1 })],
    ['key', (p) => ({ ...p, key: p.key.with(0, (p.key[0] ?? 0) ^ 1) })],
    ['flag', (p) => ({ ...p, lastResort: !p.lastResort })],
    ['time', (p) => ({ ...p, createdAtMs: p.createdAtMs + 1 })],
    ['signature', (p) => ({ ...p, signature: p.signature.with(3, (p.signature[3] ?? 0) ^ 1) })],
    ['kind', (p) => ({ ...p, kind: kinds[(kinds.indexOf(p.kind) + 1) % 4] as PrekeyKind })],
  ])('the signature covers the %s', (_, change) => {
    expect(refusal(() => verifyPrekey(change(one(kind)), owner))).toBe('signature')
  })

  test.each<[string, typeof owner]>([
    ['account', { ...owner, accountId: mallory.accountId }],
    ['device', { ...owner, deviceId: mallory.device.deviceId }],
    ['key', { ...owner, deviceKey: mallory.device.deviceKey }],
  ])('does not verify for another %s', (_, other) => {
    expect(refusal(() => verifyPrekey(one(kind), other))).toBe('signature')
  })

  test('a key of another length, or the wrong flag, has no encoding', () => {
    const prekey = one(kind)
    const unfit = 'malformed: prekey: key length or flag does not fit its kind'
    const encode = (change: Partial<SignedPublicKey>) =>
      refusalInFull(() => signedPublicKey.encode({ ...prekey, ...change }))
    expect(encode({ key: new Uint8Array(isKem ? 32 : 1_184) })).toBe(unfit)
    expect(encode({ lastResort: !prekey.lastResort })).toBe(unfit)
    expect(encode({})).toBe('accepted')
  })
})

test('a relay is noted with the secrets it hands out', () => {
  const relayKey = new Uint8Array(32).fill(9)
  const { accountId, device } = bob
  const { secrets } = generatePrekeys({
    accountId,
    device,
    kind: 'one-time',
    firstId: 1,
    count: 2,
    now: testTime,
    random: seededRandom(1),
    relayKey,
  })
  expect(secrets.map((secret) => secret.relayKey)).toEqual([relayKey, relayKey])
})

test('a signed prekey says what versions its device speaks, under its signature', () => {
  const signed = one('signed')
  expect(signed.versions).toEqual(ownVersions)
  expect(bundleVersions({ ...bundle, signedPrekey: signed })).toEqual(ownVersions)
  const { versions: _, ...silent } = signed
  for (const versions of [
    { oldest: 1, newest: 2 },
    { oldest: 2, newest: 3 },
  ])
    expect(refusal(() => verifyPrekey({ ...signed, versions }, owner))).toBe('signature')
  expect(refusal(() => verifyPrekey(silent, owner))).toBe('signature')
  const misplaced = () => signedPublicKey.encode({ ...one('one-time'), versions: ownVersions })
  expect(refusalInFull(misplaced)).toBe('malformed: prekey: only a signed prekey tells the versions')
  expect(signedPublicKey.decode(signedPublicKey.encode(signed)).versions).toEqual(ownVersions)
  // The first release said nothing: it spoke version 1 alone.
  expect(bundleVersions({ ...bundle, signedPrekey: silent })).toEqual({ oldest: 1, newest: 1 })
})

test('ids end at 32 bits', () => {
  expect(make('one-time', 2 ** 32 - 1, 1).published).toHaveLength(1)
  expect(refusalInFull(() => make('one-time', 2 ** 32 - 1, 2))).toBe('limit: prekey ids are used up')
})

test.each<[PrekeyKind, number, string]>([
  ['signed', 31, 'malformed: prekey-secret.secret: expected at least 32 bytes'],
  ['signed', 32, 'accepted'],
  ['one-time', 33, 'malformed: prekey secret: length does not fit its kind'],
  ['one-time-kem', 63, 'malformed: prekey secret: length does not fit its kind'],
  ['last-resort-kem', 64, 'accepted'],
  ['last-resort-kem', 65, 'limit: prekey-secret.secret: over the limit of 64 bytes'],
])('the secret of a %s prekey, %i bytes: %s', (kind, length, expected) => {
  const secret = { id: 1, kind, secret: new Uint8Array(length), createdAtMs: 0 }
  expect(refusalInFull(() => encodePrekeySecret(secret))).toBe(expected)
})

test('kinds are numbers on the wire, and structs go by their names', () => {
  const numbers = kinds.map((kind) => signedPublicKey.toMap(one(kind)).get(1))
  expect(numbers).toEqual([0, 1, 2, 3])
  expect(refusalInFull(() => signedPublicKey.fromMap([]))).toBe('malformed: prekey: expected a map')
  expect(refusalInFull(() => prekeyBundle.fromMap([]))).toBe('malformed: prekey-bundle: expected a map')
  const encoded = encodePrekeySecret(make('signed').secrets[0] as PrekeySecret)
  const newer = 'version: prekey-secret: made by another version of Sotto'
  expect(refusalInFull(() => decodePrekeySecret(encoded.with(2, 9)))).toBe(newer)
})

describe('a bundle', () => {
  const check = (changed: PrekeyBundle, options?: Parameters<typeof verifyBundle>[3]): string =>
    refusalInFull(() => verifyBundle(changed, bob.accountId, bob.device, options))

  test('is accepted with and without a one-time prekey, and with the last-resort KEM prekey', () => {
    const { oneTimePrekey: _, ...without } = bundle
    expect(check(bundle)).toBe('accepted')
    expect(check(without)).toBe('accepted')
    expect(check({ ...bundle, kemPrekey: one('last-resort-kem') })).toBe('accepted')
    expect(prekeyBundle.decode(prekeyBundle.encode(bundle))).toEqual(bundle)
  })

  const elsewhere = 'signature: prekey bundle: belongs to another account or device'
  const unsigned = 'signature: Sotto_prekey: the signature does not verify'
  const misplaced = 'malformed: prekey bundle: a key stands where another kind belongs'
  const malloryOwn = testBundle(mallory).bundle
  test.each<[string, PrekeyBundle, string]>([
    ['another account', { ...bundle, accountId: mallory.accountId }, elsewhere],
    ['another device', { ...bundle, deviceId: mallory.device.deviceId }, elsewhere],
    ['a whole bundle of somebody else', malloryOwn, elsewhere],
    ['a signed prekey of somebody else', { ...bundle, signedPrekey: malloryOwn.signedPrekey }, unsigned],
    [
      'a one-time prekey of somebody else',
      { ...bundle, oneTimePrekey: malloryOwn.oneTimePrekey as SignedPublicKey },
      unsigned,
    ],
    ['a KEM prekey of somebody else', { ...bundle, kemPrekey: malloryOwn.kemPrekey }, unsigned],
    [
      'a KEM prekey that is not signed',
      { ...bundle, kemPrekey: { ...bundle.kemPrekey, signature: new Uint8Array(64) } },
      unsigned,
    ],
    [
      'no KEM prekey',
      { ...bundle, kemPrekey: undefined as unknown as SignedPublicKey },
      'malformed: prekey: expected a struct',
    ],
    ['a curve key in place of the KEM prekey', { ...bundle, kemPrekey: one('one-time') }, misplaced],
    ['a KEM prekey in place of the signed one', { ...bundle, signedPrekey: one('last-resort-kem') }, misplaced],
    ['a one-time prekey in place of the signed one', { ...bundle, signedPrekey: one('one-time') }, misplaced],
    ['the signed prekey as one-time prekey', { ...bundle, oneTimePrekey: bundle.signedPrekey }, misplaced],
    [
      'a KEM key of the wrong length',
      { ...bundle, kemPrekey: { ...bundle.kemPrekey, key: new Uint8Array(1_183) } },
      'malformed: prekey: key length or flag does not fit its kind',
    ],
  ])('refuses %s', (_, changed, expected) => {
    expect(check(changed)).toBe(expected)
  })

  test('refuses a signed prekey older than one already seen', () => {
    expect(check(bundle, { seenSignedAtMs: testTime })).toBe('accepted')
    expect(check(bundle, { seenSignedAtMs: testTime + 1 })).toBe(
      'conflict: prekey bundle: its signed prekey is older than one already seen',
    )
  })

  test('without a KEM prekey does not decode', () => {
    const map = prekeyBundle.toMap(bundle)
    map.delete(4)
    expect(refusal(() => prekeyBundle.fromMap(map))).toBe('malformed')
  })
})

test('the private half of a KEM prekey is wiped: its seed is all that is kept', () => {
  const halves: Uint8Array[] = []
  const crypto: CryptoProvider = {
    ...noble,
    mlkem768Keygen: (seed) => {
      const pair = noble.mlkem768Keygen(seed)
      halves.push(pair.decapsulationKey)
      return pair
    },
  }
  const { accountId, device } = bob
  const random = seededRandom(1)
  generatePrekeys({ accountId, device, kind: 'one-time-kem', firstId: 1, count: 2, now: testTime, random }, crypto)
  expect(halves.map((half) => half.every((byte) => byte === 0))).toEqual([true, true])
})
