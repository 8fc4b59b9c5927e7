import { expect, test } from 'vitest'
import { countDistinctKeys, keysPerSession } from './distinct-keys.fixture.ts'

test('a thousand sessions with one bundle: every key distinct', { timeout: 600_000 }, () => {
  expect(countDistinctKeys(1_000)).toBe(1_000 * keysPerSession)
})
