import { describe, expect, test } from 'vitest'
import { searchDelivery, skipped } from './spin.ts'

/** A search of millions of states takes 20 s on a quiet core, and a multiple of it beside other tests. */
const limitMs = 600_000

/** Definitions, and the least number of states: a model that has lost its interleavings proves nothing. */
const sound: readonly (readonly [definitions: string, atLeast: number])[] = [
  ['MESSAGES=1 TROUBLES=4 READS', 200_000],
  ['MESSAGES=1 TROUBLES=4 READS LINK', 50_000],
  ['MESSAGES=2 TROUBLES=1 LINK', 500_000],
  ['MESSAGES=2 TROUBLES=1', 4_000_000],
]

/** Mutant, and the property that it breaks. */
const mutants: readonly (readonly [definitions: string, property: number])[] = [
  ['DROP_ON_DEPOSIT MESSAGES=1', 1],
  ['ACK_BEFORE_COMMIT MESSAGES=1', 6],
  ['NO_DEDUP MESSAGES=1', 2],
  ['APPEND_ON_ARRIVAL MESSAGES=2 TROUBLES=1', 3],
  ['LOWER_STATUS MESSAGES=1 READS', 4],
  ['NO_SYNC MESSAGES=1', 5],
  ['NEVER_AGAIN MESSAGES=1', 7],
  ['SPLIT_WRITE MESSAGES=1', 7],
]

describe.skipIf(skipped !== '')(`model of delivery${skipped}`, { timeout: limitMs }, () => {
  test.for(sound)('%s: every property holds', async ([definitions, atLeast]) => {
    const searched = await searchDelivery(definitions, '-O2')
    expect(searched.violated).toBeUndefined()
    expect(searched.states).toBeGreaterThan(atLeast)
  })

  test.for(mutants)('%s breaks property %i', async ([definitions, property]) => {
    expect(await searchDelivery(definitions)).toMatchObject({ violated: property })
  })
})
