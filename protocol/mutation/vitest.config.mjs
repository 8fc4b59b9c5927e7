import { defineConfig } from 'vitest/config'

// A folder's own tests must catch the mutants of its code: whoever changes it looks there.
export default defineConfig({
  test: {
    environment: 'node',
    // Every run has a worker of its own anyway; one for each file would take longer than the tests.
    isolate: false,
    include: [`protocol/${process.env.SOTTO_MUTATION_FOLDER}/**/*.test.ts`],
    exclude: ['**/*.{slow,fuzz}.test.ts'],
    setupFiles: ['protocol/mutation/setup.mjs'],
    env: { SOTTO_FUZZ_RUNS: '60' },
    reporters: [{}],
    testTimeout: 30_000,
  },
})
