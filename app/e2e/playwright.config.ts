import { defineConfig } from '@playwright/test'

/**
 * Scenarios as people live them: the production bundle, a real relay process, real browser profiles. One at a time, because
 * each starts a relay and several browsers, and never twice: a scenario that passes on the second try has found a fault.
 */
export default defineConfig({
  testDir: '.',
  testMatch: '**/*.spec.ts',
  workers: 1,
  retries: 0,
  fullyParallel: false,
  forbidOnly: true,
  // The longest scenarios send a thousand messages through twenty crashes on two cores.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  outputDir: '../../test-results',
  reporter: 'list',
})
