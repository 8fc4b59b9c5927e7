import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRelayProcess, type RelayProcess } from '../relay/relay-process.fixture.ts'
import { startBrowserBench } from './browser.fixture.ts'

/** A dial takes a fifth of a second; one that has not come about by then hangs. */
const deadlineMs = 6_000

/** Sixteen at once take some two seconds on two cores. */
const deadlineAtOnceMs = 20_000

let relay: RelayProcess
beforeAll(async () => {
  relay = await startRelayProcess()
})
afterAll(async () => {
  await relay[Symbol.asyncDispose]()
})

/** Outcomes of up to 60 dials in a row between two browsers: milliseconds, or the name of an error. */
const dials = async (cured: boolean, goOn: (outcome: number | string) => boolean): Promise<(number | string)[]> => {
  await using bench = await startBrowserBench({ cured })
  const alice = await bench.open('alice', relay.address)
  const bob = await bench.open('bob', relay.address)
  const outcomes: (number | string)[] = []
  while (outcomes.length < 60) {
    const outcome = await alice.call('dialOnce', bob.card, deadlineMs)
    outcomes.push(outcome)
    if (!goOn(outcome)) break
  }
  return outcomes
}

test('sixty direct dials in a row succeed', async () => {
  const outcomes = await dials(true, () => true)
  expect(outcomes.filter((outcome) => typeof outcome === 'string')).toEqual([])
  expect(outcomes).toHaveLength(60)
}, 180_000)

test('without the cure of the dial race some of sixty hang', async () => {
  const outcomes = await dials(false, (outcome) => typeof outcome === 'number')
  expect(outcomes.at(-1)).toBeTypeOf('string')
}, 180_000)

/** Outcomes of four times sixteen dials at once from one browser to another. */
const dialsAtOnce = async (cured: boolean): Promise<(number | string)[]> => {
  await using bench = await startBrowserBench({ cured })
  const alice = await bench.open('alice', relay.address)
  const bob = await bench.open('bob', relay.address)
  const outcomes: (number | string)[] = []
  for (let round = 0; round < 4; round++) {
    outcomes.push(...(await alice.call('dialAtOnce', bob.card, 16, deadlineAtOnceMs)))
  }
  return outcomes
}

test('sixteen direct dials at once succeed, four times in a row', async () => {
  const outcomes = await dialsAtOnce(true)
  expect(outcomes.filter((outcome) => typeof outcome === 'string')).toEqual([])
  expect(outcomes).toHaveLength(64)
}, 180_000)

test('without the cure of the dial race some of sixteen at once hang', async () => {
  const outcomes = await dialsAtOnce(false)
  // Answered, and then nothing: that is the race. A relay that refuses would say something else.
  expect(outcomes).toContain('no direct link: no-way-through')
}, 180_000)
