import { expect, test } from 'vitest'
import type { Session } from '../../protocol/session/session.ts'
import { withinBudget } from './open-envelope.ts'

/** As many of them as only have this many receiving chains; nothing else of a session counts here. */
const sessions = (count: number, chains: number): Session[] =>
  Array.from(
    { length: count },
    () => ({ ratchet: { receiving: Array.from({ length: chains }) } }) as unknown as Session,
  )

test('an envelope of nobody known is tried with 2,000 header keys, the next one of each session among them', () => {
  expect(withinBudget(sessions(400, 4))).toHaveLength(400)
  expect(withinBudget(sessions(401, 4))).toHaveLength(400)
  expect(withinBudget(sessions(20, 200))).toHaveLength(9)
  expect(withinBudget([...sessions(9, 200), ...sessions(191, 0), ...sessions(1, 0)])).toHaveLength(200)
  expect(withinBudget([])).toEqual([])
})
