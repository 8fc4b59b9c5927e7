import { expect, it } from 'vitest'
import { dayMs, hourMs, minuteMs } from '../../protocol/wire/limits.ts'
import { decideRepair, isSignOfLoss, repairLevel } from './repair-decision.ts'

const pace = [hourMs, dayMs] as const

/** How many handshakes an envelope that fails every five minutes can bring about. */
const handshakesWithin = (days: number): number => {
  let past: { repairs: number; repairedAtMs?: number } = { repairs: 0 }
  let made = 0
  for (let now = 0; now < days * dayMs; now += 5 * minuteMs) {
    if (decideRepair(past, true, now, pace) !== 'handshake') continue
    past = { repairs: repairLevel(past, now) + 1, repairedAtMs: now }
    made++
  }
  return made
}

it('makes five handshakes on the first day of a flood, and one on each day after', () => {
  expect([1, 2, 30].map(handshakesWithin)).toEqual([5, 6, 34])
})

it('asks on the session there is while a repair is too early, and waits without one', () => {
  const past = { repairs: 1, repairedAtMs: 10 * dayMs }
  expect(decideRepair(past, true, 10 * dayMs + hourMs - 1, pace)).toBe('ask')
  expect(decideRepair(past, false, 10 * dayMs + hourMs - 1, pace)).toBe('later')
  expect(decideRepair(past, false, 10 * dayMs + hourMs, pace)).toBe('handshake')
  // A clock that was put back does not stop repairs.
  expect(decideRepair(past, true, 9 * dayMs, pace)).toBe('handshake')
})

it('forgets one repair for each quiet day', () => {
  const past = { repairs: 3, repairedAtMs: 0 }
  expect([0, dayMs - 1, dayMs, 2 * dayMs, 9 * dayMs].map((now) => repairLevel(past, now))).toEqual([3, 3, 2, 1, 0])
})

it('takes no repeat and no newer version for a loss', () => {
  expect((['duplicate', 'version', 'malformed', 'signature', 'conflict'] as const).filter(isSignOfLoss)).toEqual([])
})
