import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { root } from './step.ts'

/** Two minutes for one run: each model is kept so small that seconds should do. */
const limitMs = 120_000

/** What ProVerif says about a query. `unproved`: neither a proof nor an attack. */
export type Verdict = 'true' | 'false' | 'unproved'

/** What a model's header expects of a query. `broken`: either of `false` and `unproved`, where ProVerif may give no attack. */
type Expectation = Verdict | 'broken'

/** One run of a model: its text under some switches, and the expected verdicts in the order of the queries. */
export interface ModelRun {
  /** Model and switches, such as `handshake no-dh1`. */
  readonly name: string
  /** A model that is wrong on purpose. */
  readonly control: boolean
  readonly expected: readonly Expectation[]
  /** Everything ProVerif needs, in one text. */
  readonly text: string
}

const isExpectation = (word: string): word is Expectation => ['true', 'false', 'unproved', 'broken'].includes(word)

const words = (list: string): string[] => list.split(/[\s,]+/).filter((word) => word !== '')

/** Applies switches: lines `(* only A B: text *)` come in with one of theirs, lines ending in `(* unless A B *)` go out. */
export const switched = (source: string, switches: readonly string[]): string => {
  const on = (names: string | undefined): boolean => words(names ?? '').some((name) => switches.includes(name))
  const lines = source.split('\n').map((line) => {
    const only = /^(\s*)\(\* only ([a-z0-9 -]+): (.*) \*\)$/.exec(line)
    if (only) return on(only[2]) ? `${only[1]}${only[3]}` : ''
    const unless = /^(.*?)\s*\(\* unless ([a-z0-9 -]+) \*\)$/.exec(line)
    if (unless) return on(unless[2]) ? '' : unless[1]
    return line
  })
  return lines.join('\n')
}

/**
 * Every run that a model's header lists: `(* expect: … *)` as it stands, `(* also SWITCHES: … *)` another reading that must
 * hold as well, `(* control SWITCHES: … *)` one that is wrong on purpose. @throws Error when the header is not of this form.
 */
export const runsOf = (model: string, library: string, source: string): ModelRun[] => {
  const headers = source.matchAll(/^\(\* (expect|(?:also|control) ([a-z0-9 -]+)): ([a-z, ]+) \*\)$/gm)
  const runs = [...headers].map(([, kind = '', switches = '', list = '']): ModelRun => {
    const expected = words(list).map((word) => {
      if (!isExpectation(word)) throw new Error(`${model}: "${word}" is no expectation`)
      return word
    })
    const names = words(switches)
    const text = `${library}\n${switched(source, names)}`
    return { name: [model, ...names].join(' '), control: kind.startsWith('control'), expected, text }
  })
  if (runs.length === 0) throw new Error(`${model}: the header expects nothing`)
  return runs
}

/** The runs of all models in a folder. */
export const allRuns = async (folder = join(root, 'protocol/spec/models')): Promise<ModelRun[]> => {
  const library = await readFile(join(folder, 'crypto.pvl'), 'utf8')
  const files = (await readdir(folder)).filter((file) => file.endsWith('.pv')).toSorted()
  const sources = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
  return sources.flatMap((source, i) => runsOf(basename(files[i] ?? '', '.pv'), library, source))
}

/**
 * The verdicts in ProVerif's output, in its order. A result may go over several lines; `RESULT (but …)` and `RESULT (even …)`
 * only comment on the one before, and the summary at the end repeats them all without the word RESULT.
 */
export const verdictsOf = (output: string): Verdict[] => {
  const results = output.split(/^RESULT /m).slice(1)
  return results.flatMap((result): Verdict[] => {
    if (/^\((?:but|even)\b/.test(result)) return []
    const verdict = /\b(?:is (true|false)|cannot be proved)\b/.exec(result)
    if (!verdict) return ['unproved']
    return [verdict[1] === 'true' ? 'true' : verdict[1] === 'false' ? 'false' : 'unproved']
  })
}

const meets = (expected: Expectation | undefined, actual: Verdict | undefined): boolean =>
  expected === 'broken' ? actual === 'false' || actual === 'unproved' : expected === actual

/** One line per query that came out otherwise than expected; none when all is well. */
export const differences = (expected: readonly Expectation[], actual: readonly Verdict[]): string[] => {
  const queries = Math.max(expected.length, actual.length)
  return Array.from({ length: queries }, (_, i) => i).flatMap((i) =>
    meets(expected[i], actual[i])
      ? []
      : [`query ${i + 1}: expected ${expected[i] ?? 'no such query'}, got ${actual[i] ?? 'no result'}`],
  )
}

/** ProVerif's own name and version, or undefined where it is not on the PATH. */
export const proverifVersion = (): string | undefined => {
  const { error, stdout } = spawnSync('proverif', ['-help'], { encoding: 'utf8' })
  return error ? undefined : (/proverif [\d.]*\d/i.exec(stdout)?.[0] ?? 'ProVerif of an unknown version')
}

/** Output of one run, or the reason why there is none. */
const prove = (file: string, timeoutMs: number): Promise<{ output: string; failure?: string }> =>
  new Promise((resolve) => {
    const child = spawn('proverif', [file], { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs })
    let output = ''
    const collect = (chunk: Buffer): void => void (output += chunk.toString())
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', (error) => resolve({ output, failure: error.message }))
    child.on('close', (code, signal) => {
      if (signal !== null) resolve({ output, failure: `no answer within ${timeoutMs / 1000} s` })
      else if (code === 0) resolve({ output })
      else resolve({ output, failure: `ProVerif ended with ${code}: ${/Error:.*/.exec(output)?.[0] ?? 'no reason'}` })
    })
  })

/** Runs one model and returns what is wrong with its results: nothing, if it is as its header says. */
export const checkRun = async (run: ModelRun, timeoutMs = limitMs): Promise<string[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-prove-'))
  try {
    const file = join(folder, 'model.pv')
    await writeFile(file, run.text)
    const { output, failure } = await prove(file, timeoutMs)
    return failure === undefined ? differences(run.expected, verdictsOf(output)) : [failure]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
