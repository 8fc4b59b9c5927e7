import { expect, test } from 'vitest'
import type { Mutant } from './engine-calls.ts'
import type { ViolationKind } from './model.ts'
import { runSoak } from './soak.ts'

/** Many kills for few messages: each mutant needs one in the right moment. 45 s of patience: a loss need not be waited for. */
const options = {
  ...{ seed: 1, messages: 400, minutes: 4, accounts: 4, browsers: 0, relays: 2 },
  ...{ relayKills: 2, engineKills: 16, cuts: 2, patience: 45 },
}

/** What gives each of them away, whatever else does. */
const caught: readonly (readonly [Mutant, ViolationKind])[] = [
  ['acknowledge-before-commit', 'acknowledged-unstored'],
  ['no-dedup', 'shown-twice'],
  ['encrypt-outside-transaction', 'key-reused'],
  ['deaf-until-restart', 'stuck'],
]

test.for(caught)('an engine with %s is found out: %s', { timeout: 600_000 }, async ([mutant, kind]) => {
  const { violations } = await runSoak({ ...options, mutant }, () => undefined)
  expect(violations.map((violation) => violation.kind)).toContain(kind)
})
