import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { build, preview } from 'vite'
import { browserArguments, installedBrowser } from '../../.ci/find-browser.ts'

const root = fileURLToPath(new URL('.', import.meta.url))

/** libolm looks for Node's modules and finds that it needs none; the bundle gets empty ones. */
const nodeModules = {
  name: 'empty-node-modules',
  enforce: 'pre',
  resolveId: (id) => (['crypto', 'fs', 'path'].includes(id) ? `\0empty:${id}` : undefined),
  load: (id) => (id.startsWith('\0empty:') ? 'export default {}' : undefined),
}

const bundled = async (outDir) => {
  const common = { root, configFile: false, logLevel: 'error' }
  const input = join(root, 'page.html')
  await build({
    ...common,
    plugins: [nodeModules],
    build: { outDir, emptyOutDir: true, target: 'es2024', assetsInlineLimit: 0, rolldownOptions: { input } },
  })
  return preview({ ...common, build: { outDir }, preview: { host: '127.0.0.1', port: 0 } })
}

/** The rows of the Chromium at hand (`CHROMIUM`, Playwright's own, or the system's), headless, from a production bundle. */
export const inBrowser = async (options) => {
  const executablePath = installedBrowser()
  if (executablePath === undefined) throw new Error('no Chromium found; name one in the environment variable CHROMIUM')
  const outDir = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
  const server = await bundled(outDir)
  const browser = await chromium.launch({ executablePath, args: browserArguments })
  try {
    const page = await browser.newPage()
    const failures = []
    page.on('pageerror', (error) => failures.push(error.message))
    await page.goto(new URL('page.html', server.resolvedUrls.local[0]).href, { waitUntil: 'load' })
    if (failures.length > 0) throw new Error(failures.join('\n'))
    const where = `Chromium ${browser.version()}`
    return await page.evaluate(([name, given]) => globalThis.runBench(name, given), [where, options])
  } finally {
    await browser.close()
    await server.close()
    await rm(outDir, { recursive: true, force: true })
  }
}
