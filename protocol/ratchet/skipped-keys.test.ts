import { expect, test } from 'vitest'
import { concatBytes, fromHex } from '../wire/bytes.ts'
import { refusalInFull } from '../wire/refusal.fixture.ts'
import type { MessageKey } from './keys.ts'
import { isExpired, skippedKeysField as field, type SkippedKey } from './skipped-keys.ts'

const messageKey = new Uint8Array(32).fill(7) as MessageKey
const key = (number: number, storedAtMs: number): SkippedKey => ({ number, messageKey, storedAtMs })

test('keys are packed: number, time, key', () => {
  const keys = [key(1, 2), key(0xffff_fffe, 2 ** 48 - 1), key(0x0102_0304, 0x0506_0708_090a)]
  const packed = concatBytes(
    ...['00000001000000000002', 'fffffffeffffffffffff', '0102030405060708090a'].flatMap((head) => [
      fromHex(head),
      messageKey,
    ]),
  )
  expect(field.write(keys, 'f')).toEqual(packed)
  expect(field.read(packed, 'f')).toEqual(keys)
  expect(field.read(concatBytes(Uint8Array.of(9), packed).subarray(1), 'f')).toEqual(keys)
  expect(field.read(new Uint8Array(0), 'f')).toEqual([])
})

test('what is read shares no memory with its record', () => {
  const packed = field.write([key(1, 2)], 'f') as Uint8Array
  const [read] = field.read(packed, 'f')
  packed.fill(0)
  expect(read).toEqual(key(1, 2))
})

test('2,000 keys of 42 bytes each and nothing else', () => {
  const refused = (value: unknown) => refusalInFull(() => field.read(value, 'f'))
  expect(refused(new Uint8Array(84_000))).toBe('accepted')
  expect(refused(new Uint8Array(84_042))).toBe('limit: f: over the limit of 2000 keys')
  const keys = (count: number) => Array.from({ length: count }, (_, number) => key(number, 1))
  expect(field.write(keys(2_000), 'f')).toHaveLength(84_000)
  expect(refusalInFull(() => field.write(keys(2_001), 'f'))).toBe('limit: f: over the limit of 2000 keys')
  for (const value of [new Uint8Array(41), new Uint8Array(43), 'text', { length: 42 }])
    expect(refused(value)).toBe('malformed: f: expected records of 42 bytes')
})

test('a key expires when it is older than 30 days', () => {
  const thirtyDaysMs = 2_592_000_000
  expect(isExpired(key(0, 1_000), 1_000 + thirtyDaysMs)).toBe(false)
  expect(isExpired(key(0, 1_000), 1_001 + thirtyDaysMs)).toBe(true)
})
