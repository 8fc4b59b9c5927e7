import type { Parameters } from 'fast-check'
import { repeats } from './repeats.fixture.ts'

/**
 * Parameters of a property. What fast-check prints when one fails can be had again: `SOTTO_SEED=<seed> SOTTO_PATH=<path>`, the
 * path leading straight to the shrunk counterexample. For tests only.
 */
export const runs = <T>(numRuns: number): Parameters<T> => {
  const { SOTTO_SEED: seed, SOTTO_PATH: path } = process.env
  return {
    numRuns: repeats(numRuns),
    ...(seed !== undefined && { seed: Number(seed) }),
    ...(path !== undefined && { path, endOnFailure: true }),
  }
}
