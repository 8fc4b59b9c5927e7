import { mkdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { oneFailed, root, runCommand, type Step, type Tally } from './step.ts'

const cache = join(root, 'node_modules/.cache/reports')

const readReport = async (file: string): Promise<unknown> => JSON.parse(await readFile(file, 'utf8'))

/** A runner that exits with an error without a failed test (a file that did not load, nothing found) counts as one failure. */
const honest = (code: number, tally: Tally): Tally =>
  code !== 0 && tally.failed === 0 ? { ...tally, failed: tally.failed + 1 } : tally

interface VitestReport {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
}

interface PlaywrightReport {
  readonly stats: {
    readonly expected: number
    readonly unexpected: number
    readonly flaky: number
    readonly skipped: number
  }
}

const withReport = async (
  name: string,
  run: (file: string) => Promise<number>,
  read: (report: never) => Tally,
): Promise<Tally> => {
  const file = join(cache, `${name}-${process.pid}.json`)
  await mkdir(dirname(file), { recursive: true })
  try {
    const code = await run(file)
    return honest(code, read((await readReport(file)) as never))
  } catch (error) {
    console.error(`${name}: no report (${error instanceof Error ? error.message : 'unknown'})`)
    return oneFailed
  } finally {
    await rm(file, { force: true })
  }
}

/** Vitest with the given arguments as a step. */
export const vitest = (name: string, ...args: string[]): Step => ({
  name,
  run: () =>
    withReport(
      'vitest',
      (file) =>
        runCommand('vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args]),
      (report: VitestReport) => ({
        passed: report.numPassedTests,
        failed: report.numFailedTests,
        skipped: report.numPendingTests + report.numTodoTests,
      }),
    ),
})

/** Playwright's scenarios with the given arguments as a step. */
export const scenarios = (name: string, ...args: string[]): Step => ({
  name,
  run: () =>
    withReport(
      'playwright',
      (file) =>
        runCommand(
          'playwright',
          ['test', '--config', 'app/e2e/playwright.config.ts', '--reporter=list,json', ...args],
          {
            PLAYWRIGHT_JSON_OUTPUT_FILE: file,
          },
        ),
      ({ stats }: PlaywrightReport) => ({
        passed: stats.expected,
        failed: stats.unexpected + stats.flaky,
        skipped: stats.skipped,
      }),
    ),
})
