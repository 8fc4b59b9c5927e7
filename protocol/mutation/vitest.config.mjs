import { statSync } from 'node:fs'
import { BaseSequencer } from 'vitest/node'
import { defineConfig } from 'vitest/config'

/** Short files first: most mutants are caught by a few quick tests, and the first failure ends a run. */
class ShortestFirst extends BaseSequencer {
  sort(files) {
    const size = ({ moduleId }) => statSync(moduleId).size
    return Promise.resolve(files.toSorted((a, b) => size(a) - size(b)))
  }
}

// A folder's own tests must catch the mutants of its code: whoever changes it looks there.
export default defineConfig({
  test: {
    environment: 'node',
    // Every run has a worker of its own anyway; one for each file would take longer than the tests.
    isolate: false,
    include: [`protocol/${process.env.SOTTO_MUTATION_FOLDER}/**/*.test.ts`],
    exclude: ['**/*.{slow,fuzz,property}.test.ts'],
    setupFiles: ['protocol/mutation/setup.mjs'],
    env: { SOTTO_FUZZ_RUNS: '60' },
    sequence: { sequencer: ShortestFirst },
    reporters: [{}],
    testTimeout: 30_000,
  },
})
