import { buildIfStale } from './build-app.ts'
import { findOrInstallBrowser } from './find-browser.ts'
import { runCommand } from './step.ts'

// usage: npm run e2e -- [--grep X] [any other option of Playwright]
const path = findOrInstallBrowser()
if (!(await buildIfStale())) process.exit(1)
process.exit(
  await runCommand('playwright', ['test', '--config', 'app/e2e/playwright.config.ts', ...process.argv.slice(2)], {
    CHROMIUM: path,
  }),
)
