import { afterAll, beforeAll, expect, test } from 'vitest'
import { BlockCoverage, protocolScripts } from './coverage.ts'

const coverage = new BlockCoverage(protocolScripts)

/** 20,000 inputs a decoder, 2,000 where each is an agreement or an account: some ten seconds each. */
const executions = 20_000
const executionsOfDear = 2_000
const dear = /respondToHandshake|AccountLog|logExtends|verifyBundle|decryptMessage/

beforeAll(() => coverage.start())
afterAll(() => coverage.stop())

test('every decoder withstands mutations that follow its coverage', { timeout: 3_600_000 }, async () => {
  // Only now: what was loaded before is not seen block by block.
  const { decoderCases } = await import('../decoders.fixture.ts')
  const { fuzz } = await import('./fuzzer.ts')
  const { toHex } = await import('../wire/bytes.ts')
  const others = decoderCases.map(({ sample }) => sample)
  const seed = Number(process.env['SOTTO_SEED'] ?? Date.now() % 1_000_000)
  const found: string[] = []
  let gained = 0
  for (const decoder of decoderCases) {
    const limit = dear.test(decoder.name) ? executionsOfDear : executions
    const report = fuzz(decoder, { coverage, seed, others, continues: (tried) => tried < limit })
    gained += report.blocks - report.blocksBefore
    for (const { kind, detail, input } of report.findings)
      found.push(`seed ${seed}, ${decoder.name}: ${kind}: ${detail}: ${toHex(input)}`)
  }
  expect(found).toEqual([])
  expect(gained).toBeGreaterThan(decoderCases.length)
})
