import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeUtf8, toHex } from '../wire/bytes.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { blindKey, createVaultKey, openRecord, sealRecord, type RecordPlace } from './vault.ts'

const random = seededRandom(1)
const vaultKey = createVaultKey(random)
const place: RecordPlace = { accountId: random(32), store: 'messages', key: Uint8Array.of(1, 2, 3) }
const plaintext = encodeUtf8('what nobody reads')
const sealed = sealRecord(vaultKey, place, plaintext, random)

describe('a sealed record', () => {
  test('opens at its place, is 41 bytes longer, and never twice the same', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 500 }),
        fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array()),
        (data, key) => {
          const record = sealRecord(vaultKey, { ...place, key }, data, random)
          expect(record).toHaveLength(data.length + 41)
          expect(openRecord(vaultKey, { ...place, key }, record)).toEqual(data)
        },
      ),
    )
    expect(sealRecord(vaultKey, place, plaintext, random)).not.toEqual(sealed)
  })

  test.each<[string, Partial<RecordPlace>]>([
    ['key', { key: Uint8Array.of(1, 2, 4) }],
    ['key of another type', { key: '\u0001\u0002\u0003' }],
    ['store', { store: 'message' }],
    ['account', { accountId: new Uint8Array(32) }],
  ])('does not open under another %s', (_, change) => {
    expect(refusal(() => openRecord(vaultKey, { ...place, ...change }, sealed))).toBe('authentication')
  })

  test('does not open with another vault key, or with one changed bit', () => {
    expect(refusal(() => openRecord(createVaultKey(random), place, sealed))).toBe('authentication')
    for (let at = 1; at < sealed.length; at++) {
      const changed = sealed.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(refusal(() => openRecord(vaultKey, place, changed))).toBe('authentication')
    }
  })

  test('of another version, cut short, or with half a key', () => {
    expect(refusal(() => openRecord(vaultKey, place, sealed.with(0, 2) as Uint8Array))).toBe('version')
    expect(refusal(() => openRecord(vaultKey, place, sealed.slice(0, 40)))).toBe('malformed')
    expect(refusal(() => openRecord(vaultKey, place, new Uint8Array(0)))).toBe('malformed')
    expect(refusal(() => openRecord(vaultKey.slice(0, 32), place, sealed))).toBe('key')
    expect(refusal(() => sealRecord(vaultKey.slice(0, 32), place, plaintext, random))).toBe('key')
  })
})

test('a source that gives too few bytes makes no vault key', () => {
  expect(refusal(() => createVaultKey((length) => random(length - 1)))).toBe('key')
})

test('a blinded key is the same for the same key, and for nothing else', () => {
  const key = random(16)
  expect(blindKey(vaultKey, 'messages', key)).toEqual(blindKey(vaultKey, 'messages', key))
  const all = [
    blindKey(vaultKey, 'messages', key),
    blindKey(vaultKey, 'outbox', key),
    blindKey(vaultKey, 'messages', random(16)),
    blindKey(createVaultKey(random), 'messages', key),
  ]
  for (const blinded of all) expect(blinded).toHaveLength(16)
  expect(new Set(all.map(toHex)).size).toBe(4)
})

test('sealing and blinding use different halves of the key', () => {
  const other = vaultKey.slice()
  other[40] = (other[40] ?? 0) ^ 1
  expect(openRecord(other, place, sealed)).toEqual(plaintext)
  expect(blindKey(other, 'messages', plaintext)).not.toEqual(blindKey(vaultKey, 'messages', plaintext))
})
