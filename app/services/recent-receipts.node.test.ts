import { expect, test } from 'vitest'
import { createRecentReceipts } from './recent-receipts.ts'

const id = (number: number): Uint8Array => new Uint8Array(16).fill(number)

test('a receipt is recent for a while, and its renewal again', () => {
  let now = 1_000_000
  const recent = createRecentReceipts(() => now, 30_000)
  recent.note(id(1))
  now += 29_999
  recent.note(id(2))
  expect([recent.has(id(1)), recent.has(id(2)), recent.has(id(3))]).toEqual([true, true, false])
  now += 1
  expect([recent.has(id(1)), recent.has(id(2))]).toEqual([false, true])
  recent.note(id(1))
  expect(recent.has(id(1))).toBe(true)
})

test('a clock that was put back makes no receipt recent for a day', () => {
  let now = 100_000_000
  const recent = createRecentReceipts(() => now, 30_000)
  recent.note(id(1))
  now -= 86_400_000
  expect(recent.has(id(1))).toBe(false)
})
