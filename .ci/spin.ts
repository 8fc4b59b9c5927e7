import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './step.ts'

const run = promisify(execFile)

const model = join(root, 'protocol/spec/models/delivery.pml')

/** Longer than any path of the model; a search that reaches it counts as unfinished. */
const maxDepth = 10_000

const succeeds = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0

/** Why the model cannot be checked here, as the reason of a skipped test; empty if it can. */
export const skipped =
  succeeds('spin', '-V') && succeeds('gcc', '--version')
    ? ''
    : ' (skipped: needs spin and gcc; Debian: spin, gcc, libc6-dev)'

export interface Searched {
  readonly states: number
  /** The property that was violated, as the model's comments count them; absent when all hold. */
  readonly violated?: number
}

/** Property by the expression that SPIN prints, the more telling ones first. */
const properties: readonly (readonly [expression: RegExp, property: number])[] = [
  [/rounds<=/, 7],
  [/expired/, 5],
  [/status\[/, 4],
  [/list\[at\]!=/, 2],
  [/list\[at\]</, 3],
  [/known.*!=0/, 6],
  [/known/, 1],
]

/**
 * Searches every state of delivery.pml under these definitions, such as `MESSAGES=2 LINK`. `-O2` takes a compiler three
 * seconds and halves the time of millions of states. @throws Error when the search is not finished.
 */
export const searchDelivery = async (definitions: string, optimise: '-O0' | '-O2' = '-O0'): Promise<Searched> => {
  const cwd = await mkdtemp(join(tmpdir(), 'sotto-spin-'))
  try {
    await run('spin', [...definitions.split(' ').map((definition) => `-D${definition}`), '-a', model], { cwd })
    await run('gcc', [optimise, '-w', '-DSAFETY', '-o', 'pan', 'pan.c'], { cwd })
    const { stdout } = await run('./pan', ['-E', `-m${maxDepth}`], { cwd, maxBuffer: 2 ** 24 })
    const states = Number(/(\d+) states, stored/.exec(stdout)?.[1])
    const violation = /assertion violated (.*) \(at depth/.exec(stdout)?.[1]
    const violated = properties.find(([pattern]) => violation !== undefined && pattern.test(violation))?.[1]
    if (violated !== undefined) return { states, violated }
    const finished = /errors: 0\b/.test(stdout) && !/depth too small|Search not completed/.test(stdout)
    if (!finished) throw new Error(`the search did not finish:\n${stdout}`)
    return { states }
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}
