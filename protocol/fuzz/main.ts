import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { BlockCoverage, protocolScripts } from './coverage.ts'
import type { FuzzReport } from './fuzzer.ts'

// usage: npm run fuzz -- [decoder] [--seconds N] [--executions N] [--seed N]

/** Where inputs that show a fault are kept, below the working directory. */
const folder = 'test-results/fuzz'

const usage = (problem: string): never => {
  console.error(`${problem}\nusage: npm run fuzz -- [decoder] [--seconds N] [--executions N] [--seed N]`)
  process.exit(2)
}

const number = (text: string, name: string): number => {
  const value = Number(text)
  return Number.isSafeInteger(value) && value >= 0 ? value : usage(`--${name}: not a whole number`)
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string' }, executions: { type: 'string' }, seed: { type: 'string' } },
})
const seconds = number(values.seconds ?? '60', 'seconds')
const executions = values.executions === undefined ? undefined : number(values.executions, 'executions')
const seed = number(values.seed ?? `${Date.now() % 1_000_000}`, 'seed')

/** By executions when they are given, so that a run can be had again; by time otherwise. */
const budget = (): ((done: number) => boolean) => {
  const until = performance.now() + seconds * 1_000
  return executions === undefined ? () => performance.now() < until : (done) => done < executions
}

const save = ({ findings }: FuzzReport): void => {
  for (const [i, { decoder, kind, detail, input }] of findings.entries()) {
    const file = join(folder, `${decoder.replaceAll(/\W+/g, '-')}-seed-${seed}-${i + 1}.json`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(file, `${JSON.stringify({ decoder, seed, kind, detail, input: toHex(input) }, null, 2)}\n`)
    console.error(`${decoder}: ${kind}: ${detail}\n  ${shown(input)}\n  ${file}`)
  }
}

// Refusals are thrown by the hundred thousand; one frame says where from.
Error.stackTraceLimit = 1
const coverage = new BlockCoverage(protocolScripts)
coverage.start()
// Only now: what was loaded before is not seen block by block.
const { decoderCases } = await import('../decoders.fixture.ts')
const { fuzz } = await import('./fuzzer.ts')
const { shown } = await import('./judge.ts')
const { toHex } = await import('../wire/bytes.ts')

const [wanted] = positionals
const chosen = decoderCases.filter(({ name }) => wanted === undefined || name === wanted)
if (chosen.length === 0) usage(`decoders: ${decoderCases.map(({ name }) => `"${name}"`).join(', ')}`)
const others = decoderCases.map(({ sample }) => sample)
console.log(
  `seed ${seed}\ndecoder | executions | a second | accepted | corpus | blocks, seeds alone | blocks | findings`,
)
let found = 0
for (const decoder of chosen) {
  const startedMs = performance.now()
  const report = fuzz(decoder, { coverage, seed, others, continues: budget() })
  const rate = Math.round((1_000 * report.executions) / (performance.now() - startedMs))
  const { accepted, corpus, blocksBefore, blocks, findings } = report
  console.log(
    [decoder.name, report.executions, rate, accepted, corpus.length, blocksBefore, blocks, findings.length].join(' | '),
  )
  save(report)
  found += findings.length
}
coverage.stop()
process.exit(found === 0 ? 0 : 1)
