import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildIfStale } from './build-app.ts'
import { findOrInstallBrowser } from './find-browser.ts'
import { root, runCommand } from './step.ts'

// usage: npm run bench -- [protocol | relay | app | drain] [--json FILE]

/** One figure: a median of `runs` runs, beside the peer's where there is one. */
interface BenchRow {
  readonly part: string
  readonly name: string
  readonly unit: string
  readonly ours: number
  readonly peer?: string
  readonly peerValue?: number
  readonly ratio?: number
  readonly runs: number
}

/** Each part is a program that writes its rows to the file after `--json`. */
const parts: Record<string, { readonly script: string; readonly prepare?: () => Promise<boolean> }> = {
  protocol: {
    script: 'protocol/bench/run.mjs',
    // The peers measured beside ours are heavy; they are installed only here.
    prepare: async () =>
      existsSync(join(root, 'protocol/bench/node_modules')) ||
      (await runCommand('npm', ['install', '--prefix', 'protocol/bench', '--no-audit', '--no-fund'])) === 0,
  },
  relay: { script: 'node/load/bench.ts' },
  app: { script: 'app/e2e/bench/app-bench.ts', prepare: buildIfStale },
  drain: { script: 'app/soak/drain-bench.ts', prepare: buildIfStale },
}

const number = (value: number): string =>
  value.toLocaleString('en', { maximumSignificantDigits: value >= 1000 ? Math.ceil(Math.log10(value)) : 3 })

const print = (rows: readonly BenchRow[]): void => {
  const cells = rows.map(({ part, name, unit, ours, peer, peerValue, ratio, runs }) => [
    part,
    name,
    `${number(ours)} ${unit}`,
    peer === undefined || peerValue === undefined ? '' : `${peer}: ${number(peerValue)}`,
    ratio === undefined ? '' : `× ${number(ratio)}`,
    `${runs}`,
  ])
  const table = [['part', 'what', 'ours', 'beside', 'ratio', 'runs'], ...cells]
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)))
  for (const line of table)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

const runPart = async (name: string, folder: string): Promise<BenchRow[] | undefined> => {
  const part = parts[name]
  if (part === undefined || !(await (part.prepare?.() ?? Promise.resolve(true)))) return undefined
  const file = join(folder, `${name}.json`)
  console.error(`\n${name} …`)
  if ((await runCommand(process.execPath, [part.script, '--json', file])) !== 0) return undefined
  return JSON.parse(await readFile(file, 'utf8')) as BenchRow[]
}

const args = process.argv.slice(2)
const jsonAt = args.indexOf('--json')
const jsonFile = jsonAt < 0 ? undefined : args[jsonAt + 1]
const wanted = args.filter((_, index) => index !== jsonAt && (jsonAt < 0 || index !== jsonAt + 1))
const unknown = wanted.find((name) => !Object.hasOwn(parts, name))
if (unknown !== undefined || (jsonAt >= 0 && jsonFile === undefined)) {
  console.error('usage: npm run bench -- [protocol | relay | app | drain] [--json FILE]')
  process.exit(2)
}

process.env['CHROMIUM'] = findOrInstallBrowser()
const folder = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
const rows: BenchRow[] = []
const failed: string[] = []
for (const name of wanted.length > 0 ? wanted : Object.keys(parts)) {
  const measured = await runPart(name, folder)
  if (measured === undefined) failed.push(name)
  else rows.push(...measured)
}
await rm(folder, { recursive: true, force: true })
print(rows)
if (jsonFile !== undefined) await writeFile(jsonFile, `${JSON.stringify(rows, null, 2)}\n`)
if (failed.length > 0) console.error(`\nFailed: ${failed.join(', ')}`)
process.exit(failed.length === 0 ? 0 : 1)
