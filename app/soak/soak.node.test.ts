import * as modules from 'node:module'
import { expect, test } from 'vitest'
import { runSoak } from './soak.ts'

/** A short run, in which everything but browsers happens once or a few times. A longer one: `npm run soak`. */
const options = {
  ...{ seed: 1, messages: 300, minutes: 2, accounts: 4, browsers: 0, relays: 2 },
  ...{ relayKills: 2, engineKills: 4, cuts: 2, patience: 120 },
}

/** Node 22.15 has what engines are loaded with. */
const skipped = 'registerHooks' in modules ? '' : ' (skipped: needs Node 22.15)'

test.skipIf(skipped !== '')(
  `a short run with kills and cuts loses nothing${skipped}`,
  async () => {
    const { violations, lines } = await runSoak(options, () => undefined)
    expect(violations, lines.join('\n')).toEqual([])
    // A run that wrote nothing, or in which nothing happened, has shown nothing.
    expect(lines.join('\n')).toMatch(/faults: .*engine-kill 4/)
    expect(lines.at(-1)).toMatch(/ 2\d\d messages of 4 accounts| 300 messages of 4 accounts/)
  },
  300_000,
)
