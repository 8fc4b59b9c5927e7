import fc from 'fast-check'
import { expect, test } from 'vitest'
import { refusalInFull } from './refusal.fixture.ts'
import { isServed, negotiate, ownVersions, unsaidVersions, versionRange, type VersionRange } from './versions.ts'

const range = (oldest: number, newest: number): VersionRange => ({ oldest, newest })

test.each([
  [range(2, 2), range(2, 2), 2],
  [range(2, 4), range(1, 3), 3],
  [range(1, 3), range(2, 9), 3],
  [range(2, 2), range(1, 1), 'update-there'],
  [range(2, 2), range(3, 4), 'update-here'],
] as const)('%o and %o meet at %s', (own, theirs, expected) => {
  expect(negotiate(own, theirs)).toBe(expected)
})

const ranges = fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 })).map(([a, b]) => range(Math.min(a, b), Math.max(a, b)))

test('both sides come to the same decision, each from its own end', () => {
  const mirrored = { 'update-here': 'update-there', 'update-there': 'update-here' } as const
  fc.assert(
    fc.property(ranges, ranges, (a, b) => {
      const [here, there] = [negotiate(a, b), negotiate(b, a)]
      expect(there).toBe(typeof here === 'number' ? here : mirrored[here])
      if (typeof here !== 'number') return
      for (const { oldest, newest } of [a, b]) expect(here >= oldest && here <= newest).toBe(true)
      // Neither could have asked for more.
      expect(here + 1 > Math.min(a.newest, b.newest)).toBe(true)
    }),
  )
})

test('a range has an order, and a relay may ask for the newest version at most', () => {
  expect(versionRange.decode(versionRange.encode(range(1, 3)))).toEqual(range(1, 3))
  expect(versionRange.decode(versionRange.encode(range(3, 3)))).toEqual(range(3, 3))
  expect(refusalInFull(() => versionRange.encode(range(3, 1)))).toBe('malformed: version range: ends before it begins')
  expect(refusalInFull(() => versionRange.fromMap([]))).toBe('malformed: version-range: expected a map')
  expect([ownVersions, unsaidVersions]).toEqual([range(2, 2), range(1, 1)])
  expect(isServed(range(1, 2), 2)).toBe(true)
  expect(isServed(range(1, 2), 3)).toBe(false)
})
