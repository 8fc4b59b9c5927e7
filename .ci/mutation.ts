import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root, runCommand } from './step.ts'

// usage: npm run mutation -- [folder …] [--fresh]

/** Folders of protocol/ whose tests must notice it when the code is changed. */
const folders = ['wire', 'identity', 'handshake', 'ratchet', 'envelope', 'session']

/** Per cent of the mutants of each folder that its tests must catch. */
const wantedScore = 90

const home = 'protocol/mutation'
const stryker = `${home}/node_modules/@stryker-mutator/core/bin/stryker.js`

/** What Stryker writes down: the schema of mutation-testing-elements, as far as it is read here. */
interface Report {
  readonly files: Record<string, { readonly mutants: readonly Mutant[] }>
}

interface Mutant {
  readonly status: 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'RuntimeError' | 'CompileError' | 'Ignored'
  readonly mutatorName: string
  readonly replacement?: string
  readonly location: { readonly start: { readonly line: number; readonly column: number } }
}

/** Mutants by what became of them. Those with which a file cannot even be loaded count neither way. */
interface Tally {
  readonly folder: string
  readonly killed: number
  readonly timeout: number
  readonly survived: number
  readonly uncovered: number
  readonly unloadable: number
  readonly score: number
}

const tallyOf = (folder: string, mutants: readonly Mutant[]): Tally => {
  const count = (status: Mutant['status']): number => mutants.filter((mutant) => mutant.status === status).length
  const [killed, timeout, survived, uncovered] = [
    count('Killed'),
    count('Timeout'),
    count('Survived'),
    count('NoCoverage'),
  ] as const
  const caught = killed + timeout
  const counted = caught + survived + uncovered
  return {
    ...{ folder, killed, timeout, survived, uncovered },
    unloadable: mutants.length - counted,
    score: (100 * caught) / counted,
  }
}

/** One line for each mutant that no test noticed. */
const printSurvivors = ({ files }: Report): void => {
  for (const [file, { mutants }] of Object.entries(files))
    for (const { status, location, mutatorName, replacement = '' } of mutants)
      if (status === 'Survived' || status === 'NoCoverage')
        console.log(`${file}:${location.start.line}:${location.start.column}  ${mutatorName}: ${oneLine(replacement)}`)
}

const oneLine = (code: string): string => code.replace(/\s+/g, ' ').slice(0, 100)

const mutateFolder = async (folder: string, fresh: boolean): Promise<Tally | undefined> => {
  console.log(`\n${folder} …`)
  const args = [stryker, 'run', `${home}/stryker.config.mjs`, ...(fresh ? ['--force'] : [])]
  if ((await runCommand(process.execPath, args, { SOTTO_MUTATION_FOLDER: folder })) !== 0) return undefined
  const report = JSON.parse(await readFile(join(root, home, '.cache', `${folder}.json`), 'utf8')) as Report
  printSurvivors(report)
  return tallyOf(
    folder,
    Object.values(report.files).flatMap(({ mutants }) => mutants),
  )
}

const args = process.argv.slice(2)
const fresh = args.includes('--fresh')
const wanted = args.filter((arg) => arg !== '--fresh')
if (wanted.some((folder) => !folders.includes(folder))) {
  console.error(`usage: npm run mutation -- [${folders.join(' | ')}] … [--fresh]`)
  process.exit(2)
}

// Heavy, and needed here only.
const installed =
  existsSync(join(root, stryker)) ||
  (await runCommand('npm', ['ci', '--prefix', home, '--no-audit', '--no-fund'])) === 0
if (!installed) process.exit(1)

const tallies: (Tally | undefined)[] = []
for (const folder of wanted.length > 0 ? wanted : folders) tallies.push(await mutateFolder(folder, fresh))

console.log('\nfolder        score   killed  timeout  survived  no coverage  not loadable')
const widths = [7, 7, 8, 11, 12]
for (const tally of tallies) {
  if (tally === undefined) continue
  const { folder, score, killed, timeout, survived, uncovered, unloadable } = tally
  const counts = [killed, timeout, survived, uncovered, unloadable].map((count, i) =>
    `${count}`.padStart(widths[i] ?? 0),
  )
  console.log([folder.padEnd(10), `${score.toFixed(1)} %`.padStart(7), ...counts].join('  '))
}
const good = tallies.every((tally) => tally !== undefined && tally.score >= wantedScore)
if (!good) console.error(`\nNot every folder reaches ${wantedScore} %.`)
process.exit(good ? 0 : 1)
