import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The folder of package.json. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** What a step of `npm test` or `npm run verify` has to say for itself. */
export interface Tally {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export interface Step {
  readonly name: string
  readonly run: () => Promise<Tally>
}

export const oneFailed: Tally = { passed: 0, failed: 1, skipped: 0 }
export const onePassed: Tally = { passed: 1, failed: 0, skipped: 0 }

/** Runs a command of this project with its output in view; resolves with its exit code. */
export const runCommand = (
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<number> =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`)
      resolve(1)
    })
    child.on('exit', (code) => resolve(code ?? 1))
  })

/** A gate: passes or fails as a whole. */
export const gate = (name: string, command: string, ...args: string[]): Step => ({
  name,
  run: async () => ((await runCommand(command, args)) === 0 ? onePassed : oneFailed),
})

const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(0)} s`

const describe = ({ passed, failed, skipped }: Tally): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`

/** Runs all steps, also after a failed one, and ends the process; the last line is the sum. */
export const runSteps = async (steps: readonly Step[]): Promise<never> => {
  const sum = { passed: 0, failed: 0, skipped: 0 }
  const failures: string[] = []
  for (const [index, step] of steps.entries()) {
    const startedMs = performance.now()
    console.log(`\n[${index + 1}/${steps.length}] ${step.name}`)
    let tally = oneFailed
    try {
      tally = await step.run()
    } catch (error) {
      console.error(error instanceof Error ? error.message : error)
    }
    sum.passed += tally.passed
    sum.failed += tally.failed
    sum.skipped += tally.skipped
    if (tally.failed > 0) failures.push(step.name)
    console.log(`[${index + 1}/${steps.length}] ${step.name}: ${describe(tally)} in ${seconds(startedMs)}`)
  }
  if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`)
  console.log(`\n${describe(sum)}`)
  process.exit(sum.failed === 0 ? 0 : 1)
}
