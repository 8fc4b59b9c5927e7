import { defineConfig } from 'vitest/config'

// Tests that must catch the mutants of a folder: its own, and those of the folders that are nothing but its use.
const tests = {
  wire: ['wire'],
  identity: ['identity'],
  handshake: ['handshake'],
  ratchet: ['ratchet'],
  envelope: ['envelope'],
  session: ['session'],
}

const folder = process.env.SOTTO_MUTATION_FOLDER

export default defineConfig({
  test: {
    environment: 'node',
    reporters: [{}],
    include: tests[folder].map((name) => `protocol/${name}/**/*.test.ts`),
    exclude: ['**/*.slow.test.ts'],
    setupFiles: ['protocol/mutation/setup.mjs'],
    env: { SOTTO_FUZZ_RUNS: '60' },
    testTimeout: 30_000,
  },
})
