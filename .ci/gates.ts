import { buildIfStale } from './build-app.ts'
import { findOrInstallBrowser } from './find-browser.ts'
import { vitest } from './reports.ts'
import { checkSizes } from './size.ts'
import { gate, oneFailed, onePassed, type Step } from './step.ts'

/** Finds or fetches a browser and hands it to every later step. */
export const browser: Step = {
  name: 'a browser for the tests',
  run: async () => {
    const path = findOrInstallBrowser()
    process.env['CHROMIUM'] = path
    console.log(path)
    return onePassed
  },
}

const step = (name: string, succeeds: () => Promise<boolean>): Step => ({
  name,
  run: async () => ((await succeeds()) ? onePassed : oneFailed),
})

/** Everything that needs no running relay: what `npm run verify` checks. */
export const gates: readonly Step[] = [
  gate('types', 'tsc', '-b'),
  gate('lint and boundaries', 'oxlint', '--deny-warnings'),
  gate('dead code', 'knip'),
  gate('format', 'oxfmt', '--check'),
  browser,
  vitest('unit tests'),
  step('build', buildIfStale),
  step('size', checkSizes),
]
