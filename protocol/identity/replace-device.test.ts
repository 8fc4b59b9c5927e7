import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { testTime } from './account.fixture.ts'
import {
  alice,
  aliceView,
  appended,
  entriesOf,
  genesis,
  mallory,
  relayOf,
  signedBy,
  withEntries,
} from './account-log.fixture.ts'
import { logExtends, replaceDevice, setRelays, verifyAccountLog } from './account-log.ts'
import { createDevice, type DeviceSecrets } from './device.ts'
import { entryBody, entryTypes, replaceDevicePayload, type SignedEntry } from './log-entry.ts'
import { sign } from './signature.ts'

describe('replacing a device', () => {
  const next = createDevice(seededRandom(20))
  const log = replaceDevice(alice.log, alice.device, next, testTime + 1)
  const entry = entriesOf(log)[2] as SignedEntry
  const [author, consent] = entry.signatures as [SignedEntry['signatures'][0], SignedEntry['signatures'][0]]

  /** A replacement with any content, author and consent, signed in all form. */
  const forged = (by: DeviceSecrets, device: Omit<DeviceSecrets, 'deviceId'>): SignedEntry => {
    const { deviceKey, identityKey } = device
    const payload = replaceDevicePayload.encode({ device: { deviceKey, identityKey } })
    const { body, signatures } = signedBy(by, { type: entryTypes.replaceDevice, payload })
    const signature = sign(noble, device.deviceSeed, 'Sotto_account_consent', [body])
    return { body, signatures: [...signatures, { key: deviceKey, signature }] }
  }

  test('puts the new one in its place, and its mailboxes leave', () => {
    const view = verifyAccountLog(log)
    const { deviceId, deviceKey, identityKey } = next
    expect(view.devices).toEqual([{ deviceId, deviceKey, identityKey }])
    expect(aliceView.relays[0]?.mailboxes).toHaveLength(1)
    expect(view.relays).toEqual(aliceView.relays.map((relay) => ({ ...relay, mailboxes: [] })))
    expect(view.accountId).toEqual(aliceView.accountId)
    expect(view.length).toBe(3)
    expect(entryBody.decode(entry.body).createdAtMs).toBe(testTime + 1)
    expect(logExtends(log, aliceView.head)).toBe(true)
  })

  test('leaves the account to the new device alone', () => {
    expect(refusal(() => setRelays(log, [], alice.device, testTime + 2))).toBe('signature')
    const moved = setRelays(log, [relayOf(next, 7)], next, testTime + 2)
    expect(verifyAccountLog(moved).relays).toEqual([relayOf(next, 7)])
    expect(refusal(() => setRelays(log, [relayOf(alice.device, 7)], next, testTime + 2))).toBe('malformed')
    expect(refusal(() => replaceDevice(log, alice.device, createDevice(seededRandom(21)), testTime))).toBe('signature')
  })

  test('can be done again, and never with a key that was there before', () => {
    const third = createDevice(seededRandom(22))
    const again = replaceDevice(log, next, third, testTime + 2)
    expect(verifyAccountLog(again).devices.map(({ deviceKey }) => deviceKey)).toEqual([third.deviceKey])
    expect(refusal(() => replaceDevice(again, third, alice.device, testTime))).toBe('malformed')
    expect(refusal(() => replaceDevice(again, third, next, testTime))).toBe('malformed')
  })

  const recovery = { deviceSeed: alice.recoverySecret, deviceKey: noble.ed25519PublicKey(alice.recoverySecret) }
  const { identityKey, identitySecret } = alice.device

  const misnamed = signedBy(alice.device, { type: entryTypes.replaceDevice })
  const misnamedTwice = [
    ...misnamed.signatures,
    { key: next.deviceKey, signature: sign(noble, next.deviceSeed, 'Sotto_account_consent', [misnamed.body]) },
  ]
  const noDevice = 'signature: account log: signed by a key that is no device of the account'
  const needsTwo = 'signature: account log: a replacement needs two signatures'
  const noConsent = 'signature: account log: the new device did not consent'
  const badConsent = 'signature: Sotto_account_consent: the signature does not verify'
  const stoodBefore = 'malformed: account log: a key that stood in the account before'

  test.each<[string, SignedEntry, string]>([
    ['signed in all form', forged(alice.device, next), 'accepted'],
    ['signed by a device of another account', forged(mallory.device, next), noDevice],
    ['signed by the new device in place of the old', forged(next, next), noDevice],
    ['signed by the recovery key', forged({ ...alice.device, ...recovery }, next), noDevice],
    ['by the device itself', forged(alice.device, alice.device), stoodBefore],
    ['keeping the identity key', forged(alice.device, { ...next, identityKey, identitySecret }), stoodBefore],
    ['with the recovery key as device key', forged(alice.device, { ...next, ...recovery }), stoodBefore],
    ['without a counter-signature', { ...entry, signatures: [author] }, needsTwo],
    ['without its author', { ...entry, signatures: [consent] }, noDevice],
    ['with signatures exchanged', { ...entry, signatures: [consent, author] }, noDevice],
    ['with one signature too many', { ...entry, signatures: [author, consent, consent] }, needsTwo],
    ['with the author in place of the new key', { ...entry, signatures: [author, author] }, noConsent],
    [
      'counter-signed by another key',
      {
        ...entry,
        signatures: [
          author,
          { ...consent, signature: sign(noble, mallory.device.deviceSeed, 'Sotto_account_consent', [entry.body]) },
        ],
      },
      badConsent,
    ],
    [
      'counter-signed as an author signs',
      {
        ...entry,
        signatures: [
          author,
          { ...consent, signature: sign(noble, next.deviceSeed, 'Sotto_account_entry', [entry.body]) },
        ],
      },
      badConsent,
    ],
    [
      'with the consent of another key',
      {
        ...entry,
        signatures: [
          author,
          {
            key: mallory.device.deviceKey,
            signature: sign(noble, mallory.device.deviceSeed, 'Sotto_account_consent', [entry.body]),
          },
        ],
      },
      noConsent,
    ],
    [
      'with the payload of another type',
      { body: misnamed.body, signatures: misnamedTwice },
      'malformed: device: expected a map',
    ],
    ['with the payload of another type and without a counter-signature', misnamed, needsTwo],
  ])('%s', (_, one, expected) => {
    expect(appended(one)).toBe(expected)
  })

  test('does not move to another account or another place of the chain', () => {
    const malloryEntries = entriesOf(mallory.log)
    expect(refusal(() => verifyAccountLog(withEntries([...malloryEntries, entry])))).toBe('conflict')
    expect(refusal(() => verifyAccountLog(withEntries([genesis, entry])))).toBe('conflict')
  })

  test('is a fork beside another entry: neither extends the other', () => {
    const other = setRelays(alice.log, [], alice.device, testTime + 1)
    expect(logExtends(log, verifyAccountLog(other).head)).toBe(false)
    expect(logExtends(other, verifyAccountLog(log).head)).toBe(false)
  })

  test('any changed bit is refused', () => {
    fc.assert(
      fc.property(fc.nat({ max: log.length - 1 }), fc.nat({ max: 7 }), (at, bit) => {
        const changed = log.slice()
        changed[at] = (changed[at] ?? 0) ^ (1 << bit)
        expect(refusal(() => verifyAccountLog(changed))).not.toBe('accepted')
      }),
      { numRuns: 150 },
    )
  })
})
