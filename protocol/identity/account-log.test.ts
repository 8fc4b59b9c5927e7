import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { equalBytes } from '../wire/bytes.ts'
import { refusal, refusalInFull } from '../wire/refusal.fixture.ts'
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
  relaysEntry,
  signedBy,
  withEntries,
  type BodyFields,
} from './account-log.fixture.ts'
import { createAccount, logExtends, logUpTo, setRelays, verifyAccountLog } from './account-log.ts'
import { createDevice, type DeviceSecrets } from './device.ts'
import { entryBody, entryTypes, genesisPayload, type RelayRecord, type SignedEntry } from './log-entry.ts'
import { sign } from './signature.ts'

const noDevice = 'signature: account log: signed by a key that is no device of the account'
const badSignature = 'signature: Sotto_account_entry: the signature does not verify'
const notNext = 'conflict: account log: an entry that does not follow the one before it'
const otherAccount = 'conflict: account log: an entry of another account'
const newer = 'version: account log: an entry of a newer version of Sotto'
const full = 'limit: account log: over the limit of 65536 bytes'

describe('a new account', () => {
  test('is its genesis: one device, no relays, its id the head', () => {
    const random = seededRandom(3)
    const device = createDevice(random)
    const { accountId, log, recoverySecret } = createAccount({ device, now: testTime, random })
    const view = verifyAccountLog(log)
    expect(view.accountId).toEqual(accountId)
    expect(view.head).toEqual(accountId)
    expect(view.accountId).toEqual(noble.sha256((entriesOf(log)[0] as SignedEntry).body))
    const { deviceId, deviceKey, identityKey } = device
    expect(view).toMatchObject({ length: 1, relays: [], devices: [{ deviceId, deviceKey, identityKey }] })
    const { createdAtMs, payload } = entryBody.decode((entriesOf(log)[0] as SignedEntry).body)
    expect(createdAtMs).toBe(testTime)
    expect(recoverySecret).toHaveLength(32)
    expect(genesisPayload.decode(payload).recoveryKey).toEqual(noble.ed25519PublicKey(recoverySecret))
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
    expect(entryBody.decode((entriesOf(log)[2] as SignedEntry).body).createdAtMs).toBe(testTime + 1)
  })

  test.each<[string, RelayRecord[], DeviceSecrets, string]>([
    ['a device of another account', [], mallory.device, noDevice],
    [
      'a relay twice',
      [relayOf(alice.device, 7), relayOf(alice.device, 7)],
      alice.device,
      'malformed: account log: a relay listed twice',
    ],
    [
      'two mailboxes of one device at one relay',
      [{ ...relayOf(alice.device, 7), mailboxes: [7, 8].flatMap((seed) => relayOf(alice.device, seed).mailboxes) }],
      alice.device,
      'malformed: account log: a device listed twice',
    ],
    [
      'a mailbox of a device outside the account',
      [relayOf(alice.device, 6), relayOf(mallory.device, 7)],
      alice.device,
      'malformed: account log: a mailbox of a device that is not in the account',
    ],
    [
      'more relays than three',
      [7, 8, 9, 10].map((seed) => relayOf(alice.device, seed)),
      alice.device,
      'limit: set-relays.relays: over the limit of 3 elements',
    ],
    [
      'a relay without address',
      [{ ...relayOf(alice.device, 7), addresses: [] }],
      alice.device,
      'malformed: relay.addresses: expected an array of at least 1 elements',
    ],
  ])('refuses %s', (_, relays, device, expected) => {
    expect(refusalInFull(() => setRelays(alice.log, relays, device, testTime))).toBe(expected)
    expect(verifyAccountLog(alice.log)).toEqual(aliceView)
  })

  test('a log may be 65,536 bytes long and not one more', () => {
    /** Three relays whose 24 addresses share `letters` evenly. */
    const added = (log: Uint8Array, letters: number): Uint8Array => {
      const relays = [0, 8, 16].map((first) => ({
        ...relayOf(alice.device, first),
        addresses: Array.from({ length: 8 }, (_, i) => `/${'a'.repeat(Math.floor((letters + first + i) / 24))}`),
      }))
      return setRelays(log, relays, alice.device, testTime)
    }
    const average = 24 * 420
    let log = alice.log
    for (let entry = 0; entry < 5; entry++) log = added(log, average)
    const exact = average + 65_536 - added(log, average).length
    const longest = added(log, exact)
    expect(longest).toHaveLength(65_536)
    expect(verifyAccountLog(longest).length).toBe(8)
    expect(refusalInFull(() => added(log, exact + 1))).toBe(full)
  })

  test('nothing longer is looked at', () => {
    const noLog = 'malformed: not canonical CBOR: bytes after the end'
    expect(refusalInFull(() => verifyAccountLog(new Uint8Array(65_536)))).toBe(noLog)
    expect(refusalInFull(() => verifyAccountLog(new Uint8Array(65_537)))).toBe(full)
    expect(refusalInFull(() => logExtends(new Uint8Array(65_537), alice.accountId))).toBe(full)
  })
})

describe('a chain that was tampered with', () => {
  const flipped = (bytes: Uint8Array): Uint8Array => bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1)
  const [author, consent] = genesis.signatures as [SignedEntry['signatures'][0], SignedEntry['signatures'][0]]
  const other = setRelays(alice.log, [], alice.device, testTime + 5)
  const third = entriesOf(other)[2] as SignedEntry
  const noGenesis = 'malformed: account log: does not begin with a genesis'
  const needsTwo = 'signature: account log: the genesis needs two signatures'
  const otherAuthor = 'signature: account log: the genesis is not signed by its device'
  const noConsent = 'signature: account log: the recovery key did not consent'

  test.each<[string, SignedEntry[], string]>([
    ['no genesis', [relaysEntry], noGenesis],
    ['a second genesis', [genesis, genesis], 'malformed: account log: a second genesis'],
    ['the genesis of another account', [entriesOf(mallory.log)[0] as SignedEntry, relaysEntry], otherAccount],
    ['an entry left out', [genesis, third], notNext],
    ['entries exchanged', [genesis, third, relaysEntry], notNext],
    ['an entry twice', [genesis, relaysEntry, relaysEntry], notNext],
    ['an entry of another account', [genesis, entriesOf(mallory.log)[1] as SignedEntry], otherAccount],
    [
      'a changed signature',
      [{ ...genesis, signatures: [{ ...author, signature: flipped(author.signature) }, consent] }],
      badSignature,
    ],
    [
      'a changed consent',
      [{ ...genesis, signatures: [author, { ...consent, signature: flipped(consent.signature) }] }],
      'signature: Sotto_account_consent: the signature does not verify',
    ],
    ['no consent', [{ ...genesis, signatures: [author] }], needsTwo],
    ['one signature too many', [{ ...genesis, signatures: [author, consent, consent] }], needsTwo],
    ['author and consent exchanged', [{ ...genesis, signatures: [consent, author] }], otherAuthor],
    ['consent by the author in place of the recovery key', [{ ...genesis, signatures: [author, author] }], noConsent],
    [
      'an entry with a second signature',
      [genesis, { ...relaysEntry, signatures: [...relaysEntry.signatures, consent] }],
      'signature: account log: an entry needs its author alone',
    ],
    [
      'an entry whose signature is of another entry',
      [genesis, { ...relaysEntry, signatures: third.signatures }],
      badSignature,
    ],
  ])('%s', (_, entries, expected) => {
    expect(refusalInFull(() => verifyAccountLog(withEntries(entries)))).toBe(expected)
  })

  test('consent cannot stand for authorship', () => {
    const { body } = signedBy(alice.device, {})
    const signature = sign(noble, alice.device.deviceSeed, 'Sotto_account_consent', [body])
    expect(appended({ body, signatures: [{ key: alice.device.deviceKey, signature }] })).toBe(badSignature)
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
      noDevice,
    ],
    ['by a stranger', signedBy(mallory.device, {}), noDevice],
    ['for another account', signedBy(alice.device, { accountId: mallory.accountId }), otherAccount],
    ['after another entry', signedBy(alice.device, { previous: alice.accountId }), notNext],
    [
      'with the payload of another type',
      signedBy(alice.device, { payload: Uint8Array.of(0xa0) }),
      'malformed: set-relays.relays: expected a value',
    ],
    ...(['addDevice', 'removeDevice', 'setRecoveryKey', 'recover'] as const).map(
      (type): [string, SignedEntry, string] => [
        `of the reserved type ${type}`,
        signedBy(alice.device, { type: entryTypes[type] }),
        newer,
      ],
    ),
    ['of an unknown type', signedBy(alice.device, { type: 99 }), newer],
  ])('%s', (_, entry, expected) => {
    expect(appended(entry)).toBe(expected)
  })

  test.each(['accountId', 'previous'] as const)('outside the chain: without %s', (name) => {
    const { body, signatures } = signedBy(alice.device, {})
    const { [name]: _, ...fields } = entryBody.decode(body)
    const outside = 'malformed: account log: an entry outside the chain'
    expect(appended({ body: entryBody.encode(fields), signatures })).toBe(outside)
  })
})

describe('a genesis signed in all form', () => {
  /** What a genesis by Alice's device and any recovery key is refused with. */
  const begun = (fields: Partial<BodyFields>, recoverySeed = alice.recoverySecret): string => {
    const { deviceKey, identityKey, deviceSeed } = alice.device
    const recoveryKey = noble.ed25519PublicKey(recoverySeed)
    const payload = genesisPayload.encode({ device: { deviceKey, identityKey }, recoveryKey })
    const body = entryBody.encode({ type: entryTypes.genesis, createdAtMs: testTime, payload, ...fields })
    const signatures = [
      { key: deviceKey, signature: sign(noble, deviceSeed, 'Sotto_account_entry', [body]) },
      { key: recoveryKey, signature: sign(noble, recoverySeed, 'Sotto_account_consent', [body]) },
    ]
    return refusalInFull(() => verifyAccountLog(withEntries([{ body, signatures }])))
  }

  test('is accepted, unless it names an account, an entry before it, or another type', () => {
    const noGenesis = 'malformed: account log: does not begin with a genesis'
    expect(begun({})).toBe('accepted')
    expect(begun({ accountId: alice.accountId })).toBe(noGenesis)
    expect(begun({ previous: alice.accountId })).toBe(noGenesis)
    expect(begun({ type: entryTypes.addDevice })).toBe(noGenesis)
  })

  test('whose recovery key is the device key is refused', () => {
    const same = 'malformed: account log: the recovery key is the device key'
    expect(begun({}, alice.device.deviceSeed)).toBe(same)
  })
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
  expect(refusalInFull(() => verifyAccountLog(log))).toBe('version: account-log: made by another version of Sotto')
})

describe('logUpTo', () => {
  test('is the log as it was with that head, and no log for a head it never had', () => {
    const longer = setRelays(alice.log, [], alice.device, testTime + 1)
    const head = verifyAccountLog(longer).head
    expect(logUpTo(longer, alice.accountId)).toEqual(withEntries([genesis]))
    expect(logUpTo(longer, aliceView.head)).toEqual(alice.log)
    expect(logUpTo(longer, head)).toEqual(longer)
    expect(refusalInFull(() => logUpTo(alice.log, head))).toBe('conflict: account log: the head is none of this log')
  })
})
