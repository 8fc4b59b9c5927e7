import { createServer, type Server } from 'node:http'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { build } from 'vite'
import { browserArguments, installedBrowser } from '../../.ci/find-browser.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import type { RelayAddress } from '../network.ts'
import { dialRaceCure } from './dial-race-plugin.ts'
import type { DirectPage } from './direct-page.fixture.ts'

const entry = fileURLToPath(new URL('direct-page.fixture.ts', import.meta.url))

/** How others reach a page. */
type Card = Awaited<ReturnType<DirectPage['start']>>

/** A page in a browser profile of its own. */
export interface BrowserPage {
  readonly page: Page
  readonly card: Card
  /** Calls a function of the page. */
  call<N extends keyof DirectPage>(
    name: N,
    ...args: DirectPage[N] extends (...args: infer A) => unknown ? A : never
  ): Promise<DirectPage[N] extends (...args: never[]) => infer R ? Awaited<R> : never>
  /** A value the page keeps. */
  read<N extends 'received' | 'paths' | 'states' | 'dials'>(name: N): Promise<DirectPage[N]>
  /** Resolves once `condition` holds for a value the page keeps. */
  until<N extends 'received' | 'paths' | 'states' | 'dials'>(
    name: N,
    condition: (value: DirectPage[N]) => boolean,
  ): Promise<void>
}

/** The test page, built and served, and a browser to open it with. */
export interface BrowserBench extends AsyncDisposable {
  readonly browser: Browser
  readonly open: (name: string, relay: RelayAddress) => Promise<BrowserPage>
}

const serve = async (folder: string): Promise<{ server: Server; url: string }> => {
  const server = createServer((request, response) => {
    const path = request.url === '/' ? '/index.html' : (request.url ?? '')
    const type = extname(path) === '.js' ? 'text/javascript' : 'text/html'
    readFile(join(folder, path)).then(
      (data) => response.writeHead(200, { 'content-type': type }).end(data),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return { server, url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/` }
}

const bundle = async (cured: boolean): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-page-'))
  await build({
    configFile: false,
    logLevel: 'error',
    plugins: cured ? [dialRaceCure()] : [],
    build: {
      outDir: folder,
      target: 'es2024',
      rolldownOptions: { input: entry, output: { entryFileNames: 'page.js' } },
    },
  })
  await writeFile(join(folder, 'index.html'), '<!doctype html><script type="module" src="/page.js"></script>')
  return folder
}

const open = async (browser: Browser, url: string, name: string, relay: RelayAddress): Promise<BrowserPage> => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(url)
  const call = async (method: string, args: unknown[]): Promise<unknown> =>
    page.evaluate(
      ([to, given]) => {
        const { direct } = globalThis as unknown as { direct: Record<string, unknown> }
        const member = direct[to]
        return typeof member === 'function' ? (member as (...all: unknown[]) => unknown)(...given) : member
      },
      [method, args] as const,
    )
  await page.waitForFunction(() => 'direct' in globalThis)
  const card = (await call('start', [name, toHex(relay.relayKey), relay.addresses])) as Card
  const read: BrowserPage['read'] = async (member) => (await call(member, [])) as never
  return {
    page,
    card,
    call: async (method, ...args) => (await call(method, args)) as never,
    read,
    until: async (member, condition) => {
      while (!condition(await read(member)))
        await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)))
    },
  }
}

/** Builds the page (with the dial race cured, or as the dependency comes) and starts a browser. */
export const startBrowserBench = async ({ cured = true } = {}): Promise<BrowserBench> => {
  const executablePath = installedBrowser()
  if (executablePath === undefined) throw new Error('no browser: set CHROMIUM, or run npm test once')
  const folder = await bundle(cured)
  const { server, url } = await serve(folder)
  const browser = await chromium.launch({ executablePath, args: browserArguments })
  return {
    browser,
    open: (name, relay) => open(browser, url, name, relay),
    [Symbol.asyncDispose]: async () => {
      await browser.close()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
