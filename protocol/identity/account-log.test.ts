import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { equalBytes } from '../wire/bytes.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { testAccount, testTime } from './account.fixture.ts'
import { createAccount, logExtends, replaceDevice, setRelays, verifyAccountLog } from './account-log.ts'
import { createDevice, type DeviceSecrets } from './device.ts'
import {
  accountLog,
  entryBody,
  entryTypes,
  genesisPayload,
  replaceDevicePayload,
  setRelaysPayload,
  type RelayRecord,
  type SignedEntry,
} from './log-entry.ts'
import { sign } from './signature.ts'

const alice = testAccount(1)
const mallory = testAccount(2)
const aliceView = verifyAccountLog(alice.log)
const entriesOf = (log: Uint8Array): SignedEntry[] => accountLog.decode(log).entries
const withEntries = (entries: SignedEntry[]): Uint8Array => accountLog.encode({ entries })
const [genesis, relaysEntry] = entriesOf(alice.log) as [SignedEntry, SignedEntry]

const relayOf = (device: DeviceSecrets, seed: number): RelayRecord => {
  const random = seededRandom(seed)
  return {
    relayKey: random(32),
    addresses: ['/ip4/192.0.2.1/udp/8788/webrtc-direct'],
    mailboxes: [{ deviceId: device.deviceId, mailboxId: random(32) }],
  }
}

type BodyFields = Parameters<typeof entryBody.encode>[0]

/** An entry with any body, signed in all form by the given device. */
const signedBy = (device: DeviceSecrets, fields: Partial<BodyFields>): SignedEntry => {
  const body = entryBody.encode({
    type: entryTypes.setRelays,
    accountId: aliceView.accountId,
    previous: aliceView.head,
    createdAtMs: testTime,
    payload: setRelaysPayload.encode({ relays: [] }),
    ...fields,
  })
  return {
    body,
    signatures: [{ key: device.deviceKey, signature: sign(noble, device.deviceSeed, 'Sotto_account_entry', [body]) }],
  }
}

const appended = (entry: SignedEntry): string =>
  refusal(() => verifyAccountLog(withEntries([genesis, relaysEntry, entry])))

describe('a new account', () => {
  test('is its genesis: one device, no relays, its id the head', () => {
    const random = seededRandom(3)
    const device = createDevice(random)
    const { accountId, log } = createAccount({ device, now: testTime, random })
    const view = verifyAccountLog(log)
    expect(view.accountId).toEqual(accountId)
    expect(view.head).toEqual(accountId)
    expect(view.accountId).toEqual(noble.sha256((entriesOf(log)[0] as SignedEntry).body))
    const { deviceId, deviceKey, identityKey } = device
    expect(view).toMatchObject({ length: 1, relays: [], devices: [{ deviceId, deviceKey, identityKey }] })
  })

  test('two accounts of one device differ, by their recovery keys', () => {
    const device = createDevice(seededRandom(4))
    const make = (seed: number) => createAccount({ device, now: testTime, random: seededRandom(seed) }).accountId
    expect(equalBytes(make(5), make(6))).toBe(false)
  })
})

describe('set relays', () => {
  test('replaces the list and moves the head', () => {
    const relays = [relayOf(alice.device, 7), relayOf(alice.device, 8)]
    const log = setRelays(alice.log, relays, alice.device, testTime + 1)
    const view = verifyAccountLog(log)
    expect(view.relays).toEqual(relays)
    expect(view.length).toBe(3)
    expect(equalBytes(view.head, aliceView.head)).toBe(false)
    expect(view.accountId).toEqual(aliceView.accountId)
    expect(verifyAccountLog(alice.log)).toEqual(aliceView)
  })

  test.each<[string, RelayRecord[], DeviceSecrets, string]>([
    ['a device of another account', [], mallory.device, 'signature'],
    ['a relay twice', [relayOf(alice.device, 7), relayOf(alice.device, 7)], alice.device, 'malformed'],
    ['a mailbox of a device outside the account', [relayOf(mallory.device, 7)], alice.device, 'malformed'],
    ['more relays than three', [7, 8, 9, 10].map((seed) => relayOf(alice.device, seed)), alice.device, 'limit'],
    ['a relay without address', [{ ...relayOf(alice.device, 7), addresses: [] }], alice.device, 'malformed'],
  ])('refuses %s', (_, relays, device, code) => {
    expect(refusal(() => setRelays(alice.log, relays, device, testTime))).toBe(code)
  })

  test('a log grows until its limit and then refuses, whole', () => {
    let log = alice.log
    const big = { ...relayOf(alice.device, 7), addresses: Array.from({ length: 8 }, () => `/${'a'.repeat(511)}`) }
    const grow = (): void => {
      for (let i = 0; i < 30; i++) log = setRelays(log, [big], alice.device, testTime)
    }
    expect(refusal(grow)).toBe('limit')
    expect(verifyAccountLog(log).length).toBeGreaterThan(10)
    expect(log.length).toBeLessThanOrEqual(65_536)
  })
})

describe('a chain that was tampered with', () => {
  const flipped = (bytes: Uint8Array): Uint8Array => bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1)
  const [author, consent] = genesis.signatures as [SignedEntry['signatures'][0], SignedEntry['signatures'][0]]
  const other = setRelays(alice.log, [], alice.device, testTime + 5)
  const third = entriesOf(other)[2] as SignedEntry

  test.each<[string, SignedEntry[], string]>([
    ['no genesis', [relaysEntry], 'malformed'],
    ['a second genesis', [genesis, genesis], 'malformed'],
    ['the genesis of another account', [entriesOf(mallory.log)[0] as SignedEntry, relaysEntry], 'conflict'],
    ['an entry left out', [genesis, third], 'conflict'],
    ['entries exchanged', [genesis, third, relaysEntry], 'conflict'],
    ['an entry twice', [genesis, relaysEntry, relaysEntry], 'conflict'],
    ['an entry of another account', [genesis, entriesOf(mallory.log)[1] as SignedEntry], 'conflict'],
    [
      'a changed signature',
      [{ ...genesis, signatures: [{ ...author, signature: flipped(author.signature) }, consent] }],
      'signature',
    ],
    [
      'a changed consent',
      [{ ...genesis, signatures: [author, { ...consent, signature: flipped(consent.signature) }] }],
      'signature',
    ],
    ['no consent', [{ ...genesis, signatures: [author] }], 'signature'],
    ['one signature too many', [{ ...genesis, signatures: [author, consent, consent] }], 'signature'],
    ['author and consent exchanged', [{ ...genesis, signatures: [consent, author] }], 'signature'],
    ['consent by the author in place of the recovery key', [{ ...genesis, signatures: [author, author] }], 'signature'],
    [
      'an entry with a second signature',
      [genesis, { ...relaysEntry, signatures: [...relaysEntry.signatures, consent] }],
      'signature',
    ],
    [
      'an entry whose signature is of another entry',
      [genesis, { ...relaysEntry, signatures: third.signatures }],
      'signature',
    ],
  ])('%s', (_, entries, code) => {
    expect(refusal(() => verifyAccountLog(withEntries(entries)))).toBe(code)
  })

  test('consent cannot stand for authorship', () => {
    const { body } = signedBy(alice.device, {})
    const signature = sign(noble, alice.device.deviceSeed, 'Sotto_account_consent', [body])
    expect(appended({ body, signatures: [{ key: alice.device.deviceKey, signature }] })).toBe('signature')
  })

  test('any changed bit is refused', () => {
    fc.assert(
      fc.property(fc.nat({ max: alice.log.length - 1 }), fc.nat({ max: 7 }), (at, bit) => {
        const log = alice.log.slice()
        log[at] = (log[at] ?? 0) ^ (1 << bit)
        expect(refusal(() => verifyAccountLog(log))).not.toBe('accepted')
      }),
      { numRuns: 150 },
    )
  })
})

describe('an entry signed in all form', () => {
  test.each<[string, SignedEntry, string]>([
    ['is accepted', signedBy(alice.device, {}), 'accepted'],
    [
      'by the recovery key',
      signedBy(
        { ...alice.device, deviceSeed: alice.recoverySecret, deviceKey: noble.ed25519PublicKey(alice.recoverySecret) },
        {},
      ),
      'signature',
    ],
    ['by a stranger', signedBy(mallory.device, {}), 'signature'],
    ['for another account', signedBy(alice.device, { accountId: mallory.accountId }), 'conflict'],
    ['after another entry', signedBy(alice.device, { previous: alice.accountId }), 'conflict'],
    ['with the payload of another type', signedBy(alice.device, { payload: Uint8Array.of(0xa0) }), 'malformed'],
    ...(['addDevice', 'removeDevice', 'setRecoveryKey', 'recover'] as const).map(
      (type): [string, SignedEntry, string] => [
        `of the reserved type ${type}`,
        signedBy(alice.device, { type: entryTypes[type] }),
        'version',
      ],
    ),
    ['of an unknown type', signedBy(alice.device, { type: 99 }), 'version'],
  ])('%s', (_, entry, code) => {
    expect(appended(entry)).toBe(code)
  })

  test('outside the chain', () => {
    const { body, signatures } = signedBy(alice.device, {})
    const { accountId: _, ...fields } = entryBody.decode(body)
    expect(appended({ body: entryBody.encode(fields), signatures })).toBe('malformed')
  })
})

test('a genesis whose recovery key is the device key is refused', () => {
  const { deviceKey, identityKey, deviceSeed } = alice.device
  const payload = genesisPayload.encode({ device: { deviceKey, identityKey }, recoveryKey: deviceKey })
  const body = entryBody.encode({ type: entryTypes.genesis, createdAtMs: testTime, payload })
  const signatures = (['Sotto_account_entry', 'Sotto_account_consent'] as const).map((domain) => ({
    key: deviceKey,
    signature: sign(noble, deviceSeed, domain, [body]),
  }))
  expect(refusal(() => verifyAccountLog(withEntries([{ body, signatures }])))).toBe('malformed')
})

describe('logExtends', () => {
  const longer = setRelays(alice.log, [], alice.device, testTime + 1)
  const fork = setRelays(alice.log, [], alice.device, testTime + 2)

  test('every earlier head, and the log itself', () => {
    expect(logExtends(longer, alice.accountId)).toBe(true)
    expect(logExtends(longer, aliceView.head)).toBe(true)
    expect(logExtends(longer, verifyAccountLog(longer).head)).toBe(true)
  })

  test('not a later head, a fork or another account', () => {
    expect(logExtends(alice.log, verifyAccountLog(longer).head)).toBe(false)
    expect(logExtends(longer, verifyAccountLog(fork).head)).toBe(false)
    expect(logExtends(longer, mallory.accountId)).toBe(false)
  })
})

test('a log of another version is told apart from damage', () => {
  const log = alice.log.slice()
  // a2 00 01 …: the version is the third byte.
  log[2] = 2
  expect(refusal(() => verifyAccountLog(log))).toBe('version')
})

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

  test.each<[string, SignedEntry, string]>([
    ['signed in all form', forged(alice.device, next), 'accepted'],
    ['signed by a device of another account', forged(mallory.device, next), 'signature'],
    ['signed by the new device in place of the old', forged(next, next), 'signature'],
    ['signed by the recovery key', forged({ ...alice.device, ...recovery }, next), 'signature'],
    ['by the device itself', forged(alice.device, alice.device), 'malformed'],
    ['keeping the identity key', forged(alice.device, { ...next, identityKey, identitySecret }), 'malformed'],
    ['with the recovery key as device key', forged(alice.device, { ...next, ...recovery }), 'malformed'],
    ['without a counter-signature', { ...entry, signatures: [author] }, 'signature'],
    ['without its author', { ...entry, signatures: [consent] }, 'signature'],
    ['with signatures exchanged', { ...entry, signatures: [consent, author] }, 'signature'],
    ['with one signature too many', { ...entry, signatures: [author, consent, consent] }, 'signature'],
    ['with the author in place of the new key', { ...entry, signatures: [author, author] }, 'signature'],
    [
      'counter-signed by another key',
      {
        ...entry,
        signatures: [
          author,
          { ...consent, signature: sign(noble, mallory.device.deviceSeed, 'Sotto_account_consent', [entry.body]) },
        ],
      },
      'signature',
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
      'signature',
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
      'signature',
    ],
    ['with the payload of another type', signedBy(alice.device, { type: entryTypes.replaceDevice }), 'malformed'],
  ])('%s', (_, one, code) => {
    expect(appended(one)).toBe(code)
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
