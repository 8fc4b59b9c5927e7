import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BlockCoverage } from './coverage.ts'
import type { FuzzOptions, FuzzReport } from './fuzzer.ts'

const isPlanted = (url: string): boolean => url.includes('planted.fixture')
const coverage = new BlockCoverage({ watches: isPlanted, weighs: isPlanted })

/** Seeds 1 to 24 need 7,000 to 15,000, under half a second of work. */
const executions = 30_000

// Loaded only once coverage has started: what was there before is not seen block by block.
let planted: typeof import('./planted.fixture.ts')
let fuzz: typeof import('./fuzzer.ts').fuzz

beforeAll(async () => {
  coverage.start()
  planted = await import('./planted.fixture.ts')
  ;({ fuzz } = await import('./fuzzer.ts'))
})
afterAll(() => coverage.stop())

/** Until something is found, at most `executions` inputs. */
const run = (name: keyof typeof planted, seed: number, more: Partial<FuzzOptions> = {}): FuzzReport =>
  fuzz(planted[name], {
    coverage,
    seed,
    others: [],
    continues: (tried, findings) => findings === 0 && tried < executions,
    ...more,
  })

const onlyFinding = ({ findings: [finding, ...others] }: FuzzReport) => {
  expect(others).toEqual([])
  return finding ?? expect.fail('nothing was found')
}

describe('a crash behind five conditions', () => {
  test.each([1, 2, 3])('is found and cut down to what it needs, seed %i', { timeout: 60_000 }, (seed) => {
    const report = run('crashCase', seed)
    const { kind, detail, input } = onlyFinding(report)
    expect(kind).toBe('threw')
    expect(detail).toContain('RangeError: planted')
    // The least input of twelve bytes: what no condition asks for is zero.
    expect(input).toHaveLength(12)
    expect([input[0], input[3], input[6], ...input.subarray(7)]).toEqual([0x53, 0x7c, 0x9e, 0, 0, 0, 0, 0])
    expect(report.blocks).toBeGreaterThan(report.blocksBefore)
  })

  test('is not found by as many inputs without coverage', { timeout: 60_000 }, () => {
    const report = run('crashCase', 1, { feedback: false })
    expect(report.executions).toBeGreaterThanOrEqual(executions)
    expect(report.findings).toEqual([])
    expect(report.corpus).toEqual([planted.crashCase.sample])
  })

  test('the same seed gives the same run', () => {
    expect(run('crashCase', 7)).toEqual(run('crashCase', 7))
  })
})

describe('other faults', () => {
  test('a second encoding', () => {
    const { kind, input } = onlyFinding(run('twoEncodingsCase', 1))
    expect([kind, [...input]]).toEqual(['second encoding', [24, 0]])
  })

  test('work that grows with the square of the length', { timeout: 60_000 }, () => {
    const { kind, input } = onlyFinding(run('quadraticCase', 1))
    expect(kind).toBe('too much work')
    expect(input[0]).toBe(7)
    // Half of it is no longer too much.
    expect(input.length).toBeLessThan(2_000)
  })

  test('an input that is changed', () => {
    expect(onlyFinding(run('changingCase', 1)).detail).toBe('the decoder changed its input')
  })
})
