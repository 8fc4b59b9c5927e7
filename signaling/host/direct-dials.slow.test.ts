import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRelayProcess, type RelayProcess } from '../relay/relay-process.fixture.ts'
import { startBrowserBench } from './browser.fixture.ts'

/** A dial takes a fifth of a second; one that has not come about by then hangs. */
const deadlineMs = 6_000

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
