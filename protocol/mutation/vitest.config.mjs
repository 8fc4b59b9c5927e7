import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BaseSequencer } from 'vitest/node'
import { defineConfig } from 'vitest/config'

/** Short files first: most mutants are caught by a few quick tests, and the first failure ends a run. */
class ShortestFirst extends BaseSequencer {
  sort(files) {
    const size = ({ moduleId }) => statSync(moduleId).size
    return Promise.resolve(files.toSorted((a, b) => size(a) - size(b)))
  }
}

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const [fastProvider, nobleProvider] = [here('fast-provider.mjs'), here('../crypto/noble-provider.ts')]

/** Thousands of runs of tests that mostly compute: the provider underneath is the fast one. It stands on noble itself. */
const withFastProvider = {
  name: 'fast-provider',
  enforce: 'pre',
  resolveId: (id, importer = '') => {
    if (!id.endsWith('/noble-provider.ts')) return undefined
    return importer.includes('/app/crypto/') ? `${nobleProvider}?itself` : fastProvider
  },
}

// A folder's own tests must catch the mutants of its code: whoever changes it looks there.
export default defineConfig({
  plugins: [withFastProvider],
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
