import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { boundsOf, compareKeys, isWithin } from './stored-key.ts'
import { storedKey } from './stored-key.fixture.ts'

it('orders keys as this browser does', () => {
  fc.assert(
    fc.property(storedKey, storedKey, (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(indexedDB.cmp(a, b))
    }),
  )
})

it('finds in a range what this browser finds in it', () => {
  fc.assert(
    fc.property(
      storedKey,
      storedKey,
      fc.option(fc.integer()),
      fc.option(fc.integer()),
      (key, prefix, after, before) => {
        const range = { ...(after === null ? {} : { after }), ...(before === null ? {} : { before }) }
        const bounds = boundsOf(prefix, range)
        if (!bounds) return
        const low = after === null ? prefix : [...prefix, after]
        const high = before === null ? [...prefix, []] : [...prefix, before]
        const expected = IDBKeyRange.bound(low, high, after !== null, before !== null).includes(key)
        expect(isWithin(key, bounds)).toBe(expected)
        const below = [...prefix, ...key]
        expect(isWithin(below, { prefix })).toBe(IDBKeyRange.bound(prefix, [...prefix, []]).includes(below))
      },
    ),
  )
})
