import { expect, test } from 'vitest'
import { encodeCanonical, type CborValue } from '../wire/cbor.ts'
import { refusal, refusalInFull } from '../wire/refusal.fixture.ts'
import {
  accountLog,
  entryBody,
  entryTypes,
  genesisPayload,
  replaceDevicePayload,
  setRelaysPayload,
} from './log-entry.ts'

const key = new Uint8Array(32).fill(1)
const signature = new Uint8Array(64).fill(2)
const device = { deviceKey: key, identityKey: key }
const entry = { body: Uint8Array.of(1), signatures: [{ key, signature }] }
const body = { type: entryTypes.setRelays, accountId: key, previous: key, createdAtMs: 5, payload: Uint8Array.of(3) }
const mailbox = { deviceId: key.slice(16), mailboxId: key }
const relay = { relayKey: key, addresses: ['/a'], mailboxes: [mailbox] }

test('types of entries are numbers on the wire: none changes', () => {
  expect(entryTypes).toEqual({
    genesis: 0,
    setRelays: 1,
    addDevice: 2,
    replaceDevice: 3,
    removeDevice: 4,
    setRecoveryKey: 5,
    recover: 6,
  })
})

test('every struct is on the wire as the specification has it', () => {
  const map = (...entries: [number, CborValue][]): Map<number, CborValue> => new Map(entries)
  const { payload } = body
  expect(accountLog.encode({ entries: [entry] })).toEqual(
    encodeCanonical(map([0, 1], [1, [map([0, entry.body], [1, [map([0, key], [1, signature])]])]])),
  )
  expect(entryBody.encode(body)).toEqual(encodeCanonical(map([0, 1], [1, 1], [2, key], [3, key], [4, 5], [5, payload])))
  expect(genesisPayload.encode({ device, recoveryKey: key })).toEqual(
    encodeCanonical(map([0, map([0, key], [1, key])], [1, key])),
  )
  expect(replaceDevicePayload.encode({ device })).toEqual(encodeCanonical(map([0, map([0, key], [1, key])])))
  expect(setRelaysPayload.encode({ relays: [relay] })).toEqual(
    encodeCanonical(map([0, [map([0, key], [1, ['/a']], [2, [map([0, mailbox.deviceId], [1, key])]])]])),
  )
})

const none = 'expected a value'

test.each<[string, { fromMap: (value: unknown) => unknown }, unknown]>([
  [`account-log.version: expected a number`, accountLog, new Map()],
  [`account-log: made by another version of Sotto`, accountLog, new Map([[0, 2]])],
  [`account-log.entries: ${none}`, accountLog, new Map([[0, 1]])],
  [`account-entry.body: ${none}`, accountLog, new Map<number, unknown>([[0, 1]]).set(1, [new Map()])],
  [
    `entry-signature.key: ${none}`,
    accountLog,
    new Map<number, unknown>([[0, 1]]).set(1, [new Map().set(0, key).set(1, [new Map()])]),
  ],
  [`account-entry-body.version: expected a number`, entryBody, new Map()],
  [`account-entry-body.type: ${none}`, entryBody, new Map([[0, 1]])],
  [`genesis.device: ${none}`, genesisPayload, new Map()],
  [`device.deviceKey: ${none}`, genesisPayload, new Map([[0, new Map()]])],
  [`set-relays.relays: ${none}`, setRelaysPayload, new Map()],
  [`relay.relayKey: ${none}`, setRelaysPayload, new Map([[0, [new Map()]]])],
  [
    `mailbox.deviceId: ${none}`,
    setRelaysPayload,
    new Map([[0, [new Map<number, unknown>([[0, key]]).set(1, ['/a']).set(2, [new Map()])]]]),
  ],
])('what is missing is named: %s', (message, codec, value) => {
  expect(refusalInFull(() => codec.fromMap(value))).toMatch(new RegExp(`^(malformed|version): ${message}$`))
})

test('an entry has one to four signatures, a log one to 256 entries', () => {
  const signed = (count: number) => ({
    ...entry,
    signatures: Array.from({ length: count }, () => ({ key, signature })),
  })
  const log = (...entries: (typeof entry)[]): string => refusalInFull(() => accountLog.encode({ entries }))
  expect([log(signed(1)), log(signed(4))]).toEqual(['accepted', 'accepted'])
  expect(log(signed(0))).toBe('malformed: account-entry.signatures: expected an array of at least 1 elements')
  expect(log(signed(5))).toBe('limit: account-entry.signatures: over the limit of 4 elements')
  const many = Array.from({ length: 257 }, () => entry)
  expect(log(...many.slice(1))).toBe('accepted')
  expect(log(...many)).toBe('limit: account-log.entries: over the limit of 256 elements')
  expect(log()).toBe('malformed: account-log.entries: expected an array of at least 1 elements')
})

test('a log has 1 to 256 entries, in both directions', () => {
  const entries = (count: number) => Array.from({ length: count }, () => entry)
  const full = accountLog.encode({ entries: entries(256) })
  expect(accountLog.decode(full).entries).toHaveLength(256)
  const raw = (count: number) => {
    const one = new Map<number, CborValue>([
      [0, entry.body],
      [
        1,
        [
          new Map<number, CborValue>([
            [0, key],
            [1, signature],
          ]),
        ],
      ],
    ])
    return encodeCanonical(
      new Map<number, CborValue>([
        [0, 1],
        [1, Array.from({ length: count }, () => one)],
      ]),
    )
  }
  expect(raw(256)).toEqual(full)
  for (const [count, code] of [
    [257, 'limit'],
    [0, 'malformed'],
  ] as const) {
    expect(refusal(() => accountLog.encode({ entries: entries(count) }))).toBe(code)
    expect(refusal(() => accountLog.decode(raw(count)))).toBe(code)
  }
})
