import { randomInt } from 'node:crypto'
import { readOptions } from '../app/soak/options.ts'
import { runSoak } from '../app/soak/soak.ts'
import { buildIfStale } from './build-app.ts'
import { findOrInstallBrowser } from './find-browser.ts'

// usage: see app/soak/options.ts, or app/soak/README.md
const readArguments = () => {
  try {
    return readOptions(process.argv.slice(2), randomInt(1_000_000))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exit(2)
  }
}

const options = readArguments()
if (options.browsers > 0) {
  process.env['CHROMIUM'] = findOrInstallBrowser()
  if (!(await buildIfStale())) process.exit(1)
}
const startedMs = performance.now()
const say = (line: string): void =>
  console.log(`${((performance.now() - startedMs) / 1_000).toFixed(0).padStart(5)} s  ${line}`)
say(`seed ${options.seed}`)
const stopping = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopping.abort())
try {
  const { violations, lines } = await runSoak(options, say, stopping.signal)
  for (const line of lines) console.log(line)
  process.exit(violations.length === 0 ? 0 : 1)
} catch (error) {
  // A relay's whole log may stand in it.
  console.error(error instanceof Error ? error.stack?.slice(0, 2_000) : error)
  console.error(`seed ${options.seed}: the run did not come to its end`)
  process.exit(1)
}
