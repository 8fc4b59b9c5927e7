import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeKey, encodeBounds, encodeKey } from './sqlite-key.ts'
import { storedKey } from './stored-key.fixture.ts'
import { boundsOf, compareKeys, isWithin } from './stored-key.ts'

test('bytes of keys have the order of the keys', () => {
  fc.assert(
    fc.property(storedKey, storedKey, (a, b) => {
      expect(Buffer.compare(encodeKey(a), encodeKey(b))).toBe(Math.sign(compareKeys(a, b)))
    }),
  )
})

test('a key comes back as it was', () => {
  fc.assert(
    fc.property(storedKey, (key) => {
      // -0 is the same key as 0.
      const same = key.map((part) => (typeof part === 'number' ? part + 0 : part))
      expect(decodeKey(encodeKey(key))).toEqual(same)
    }),
  )
})

test('a range of bytes holds the keys of the range', () => {
  fc.assert(
    fc.property(
      storedKey,
      storedKey,
      fc.option(fc.integer()),
      fc.option(fc.integer()),
      (key, prefix, after, before) => {
        const bounds = boundsOf(prefix, {
          ...(after === null ? {} : { after }),
          ...(before === null ? {} : { before }),
        })
        if (!bounds) return
        const { low, inclusive, high } = encodeBounds(bounds)
        for (const candidate of [key, [...prefix, ...key]]) {
          const bytes = encodeKey(candidate)
          const fromLow = Buffer.compare(bytes, low)
          const inside = (inclusive ? fromLow >= 0 : fromLow > 0) && Buffer.compare(bytes, high) < 0
          expect(inside).toBe(isWithin(candidate, bounds))
        }
      },
    ),
  )
})

test('damaged keys are errors', () => {
  const whole = encodeKey([1, Uint8Array.of(1, 0, 2)])
  for (const bad of [whole.slice(0, -1), whole.slice(0, 5), Uint8Array.of(7)]) {
    expect(() => decodeKey(bad)).toThrow(expect.objectContaining({ code: 'failed' }))
  }
  expect(() => encodeKey([Number.NaN])).toThrow(expect.objectContaining({ code: 'failed' }))
})
