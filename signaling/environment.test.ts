import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoffMs, onAwakening, randomFraction } from './environment.ts'
import { FakePage } from './network.fixture.ts'

const bytes = fc.uint8Array({ minLength: 4, maxLength: 4 })

test('patience doubles to its cap, and is spread over half to one and a half of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000 }), bytes, (failures, chance) => {
      const ms = backoffMs(failures, 500, 4_000, () => chance)
      const full = Math.min(4_000, 500 * 2 ** Math.min(failures - 1, 20))
      expect(ms).toBeGreaterThanOrEqual(full / 2)
      expect(ms).toBeLessThan(full * 1.5)
    }),
  )
})

test('a fraction is in [0, 1)', () => {
  expect(randomFraction(() => new Uint8Array(4))).toBe(0)
  expect(randomFraction(() => new Uint8Array(4).fill(255))).toBeLessThan(1)
})

test('a page awakens by going online or offline and by being seen, not by being hidden', () => {
  const page = new FakePage()
  let times = 0
  const end = onAwakening(page, () => times++)
  page.window.dispatchEvent(new Event('online'))
  page.window.dispatchEvent(new Event('offline'))
  page.document.dispatchEvent(new Event('visibilitychange'))
  expect(times).toBe(3)
  page.document.visibilityState = 'hidden'
  page.document.dispatchEvent(new Event('visibilitychange'))
  expect(times).toBe(3)
  end()
  page.window.dispatchEvent(new Event('online'))
  expect(times).toBe(3)
})
