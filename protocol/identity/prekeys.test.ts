import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { refusal } from '../wire/refusal.fixture.ts'
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
      verifyPrekey(prekey, owner)
    }
    expect(new Set(published.map(({ key }) => key.join())).size).toBe(3)
  })

  test('the secret is the private half', () => {
    const { published, secrets } = make(kind)
    const secret = secrets[0]?.secret ?? new Uint8Array(0)
    const key = isKem ? noble.mlkem768Keygen(secret).encapsulationKey : noble.x25519PublicKey(secret)
    expect(published[0]?.key).toEqual(key)
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
    expect(refusal(() => signedPublicKey.encode({ ...prekey, key: new Uint8Array(isKem ? 32 : 1_184) }))).toBe(
      'malformed',
    )
    expect(refusal(() => signedPublicKey.encode({ ...prekey, lastResort: !prekey.lastResort }))).toBe('malformed')
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
  for (const changed of [silent, { ...signed, versions: { oldest: 1, newest: 2 } }]) {
    expect(refusal(() => verifyPrekey(changed, owner))).toBe('signature')
  }
  expect(refusal(() => signedPublicKey.encode({ ...one('one-time'), versions: ownVersions }))).toBe('malformed')
  // The first release said nothing: it spoke version 1 alone.
  expect(bundleVersions({ ...bundle, signedPrekey: silent })).toEqual({ oldest: 1, newest: 1 })
})

test('ids end at 32 bits', () => {
  expect(make('one-time', 2 ** 32 - 1, 1).published).toHaveLength(1)
  expect(refusal(() => make('one-time', 2 ** 32 - 1, 2))).toBe('limit')
})

test('a secret of another length than its kind has no encoding', () => {
  const secret = { id: 1, kind: 'signed' as const, secret: new Uint8Array(64), createdAtMs: 0 }
  expect(refusal(() => encodePrekeySecret(secret))).toBe('malformed')
})

describe('a bundle', () => {
  const check = (changed: PrekeyBundle, options?: Parameters<typeof verifyBundle>[3]): string =>
    refusal(() => verifyBundle(changed, bob.accountId, bob.device, options))

  test('is accepted with and without a one-time prekey, and with the last-resort KEM prekey', () => {
    const { oneTimePrekey: _, ...without } = bundle
    expect(check(bundle)).toBe('accepted')
    expect(check(without)).toBe('accepted')
    expect(check({ ...bundle, kemPrekey: one('last-resort-kem') })).toBe('accepted')
    expect(prekeyBundle.decode(prekeyBundle.encode(bundle))).toEqual(bundle)
  })

  const malloryOwn = testBundle(mallory).bundle
  test.each<[string, PrekeyBundle, string]>([
    ['another account', { ...bundle, accountId: mallory.accountId }, 'signature'],
    ['another device', { ...bundle, deviceId: mallory.device.deviceId }, 'signature'],
    ['a whole bundle of somebody else', malloryOwn, 'signature'],
    ['a signed prekey of somebody else', { ...bundle, signedPrekey: malloryOwn.signedPrekey }, 'signature'],
    [
      'a one-time prekey of somebody else',
      { ...bundle, oneTimePrekey: malloryOwn.oneTimePrekey as SignedPublicKey },
      'signature',
    ],
    ['a KEM prekey of somebody else', { ...bundle, kemPrekey: malloryOwn.kemPrekey }, 'signature'],
    [
      'a KEM prekey that is not signed',
      { ...bundle, kemPrekey: { ...bundle.kemPrekey, signature: new Uint8Array(64) } },
      'signature',
    ],
    ['no KEM prekey', { ...bundle, kemPrekey: undefined as unknown as SignedPublicKey }, 'malformed'],
    ['a curve key in place of the KEM prekey', { ...bundle, kemPrekey: one('one-time') }, 'malformed'],
    ['a KEM prekey in place of the signed one', { ...bundle, signedPrekey: one('last-resort-kem') }, 'malformed'],
    ['a one-time prekey in place of the signed one', { ...bundle, signedPrekey: one('one-time') }, 'malformed'],
    ['the signed prekey as one-time prekey', { ...bundle, oneTimePrekey: bundle.signedPrekey }, 'malformed'],
    [
      'a KEM key of the wrong length',
      { ...bundle, kemPrekey: { ...bundle.kemPrekey, key: new Uint8Array(1_183) } },
      'malformed',
    ],
  ])('refuses %s', (_, changed, code) => {
    expect(check(changed)).toBe(code)
  })

  test('refuses a signed prekey older than one already seen', () => {
    expect(check(bundle, { seenSignedAtMs: testTime })).toBe('accepted')
    expect(check(bundle, { seenSignedAtMs: testTime + 1 })).toBe('conflict')
  })

  test('without a KEM prekey does not decode', () => {
    const map = prekeyBundle.toMap(bundle)
    map.delete(4)
    expect(refusal(() => prekeyBundle.fromMap(map))).toBe('malformed')
  })
})
