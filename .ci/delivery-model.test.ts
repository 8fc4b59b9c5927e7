import { describe, expect, test } from 'vitest'
import { searchDelivery, skipped } from './spin.ts'

describe.skipIf(skipped !== '')(`model of delivery${skipped}`, () => {
  test('one message, one misfortune: every property holds', async () => {
    expect(await searchDelivery('MESSAGES=1 TROUBLES=1 READS')).toEqual({ states: expect.any(Number) })
  })

  test('without recognising repeats something is shown twice', async () => {
    expect(await searchDelivery('MESSAGES=1 TROUBLES=0 NO_DEDUP')).toMatchObject({ violated: 2 })
  })
})
