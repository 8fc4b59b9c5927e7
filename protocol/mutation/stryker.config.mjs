// One run of Stryker mutates one folder of protocol/: every source in it, with every mutator.
const folder = process.env.SOTTO_MUTATION_FOLDER

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: [`protocol/${folder}/*.ts`, `!protocol/${folder}/*.{test,fixture,suite}.ts`],
  // Copied into the sandbox: what the protocol's tests need and no more.
  ignorePatterns: [
    '*',
    '!protocol/**/*',
    'protocol/*/node_modules',
    'protocol/bench',
    'protocol/mutation/.cache',
    // What computes: see vitest.config.mjs.
    '!app/crypto/*.ts',
    '!package.json',
    '!{,*/}tsconfig.json',
  ],
  testRunner: 'vitest',
  vitest: { configFile: 'protocol/mutation/vitest.config.mjs', related: false },
  coverageAnalysis: 'perTest',
  concurrency: Number(process.env.SOTTO_MUTATION_WORKERS ?? 1),
  // A mutant that only runs longer than its tests usually take, on a busy machine, has not been caught.
  timeoutMS: 20_000,
  timeoutFactor: 4,
  incremental: true,
  incrementalFile: `protocol/mutation/.cache/${folder}.incremental.json`,
  tempDirName: 'protocol/mutation/.cache/sandbox',
  reporters: ['progress', 'json'],
  jsonReporter: { fileName: `protocol/mutation/.cache/${folder}.json` },
  // No TypeScript project of its own: its preprocessor needs the compiler's old interface, which version 7 has not.
  tsconfigFile: 'none',
  // Types are stripped, never checked, when tests run.
  disableTypeChecks: false,
  allowConsoleColors: false,
  logLevel: 'warn',
}
