import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { inNamespace } from './namespaces.ts'
import { freeTcpPort, haveEnded, processTree, signalAll } from './processes.ts'

const bridge = fileURLToPath(new URL('./firefox-bridge.mjs', import.meta.url))

/** The oldest major with Trusted Types, which the app's own policy asks for. */
const oldestMajor = 148

const candidates = [process.env['FIREFOX'] ?? '', 'firefox-esr', 'firefox']

let known: string | undefined

const installedFirefox = (): string | undefined => {
  known ??= candidates.find((name) => {
    if (name === '') return false
    const { stdout } = spawnSync(name, ['--version'], { encoding: 'utf8', timeout: 20_000 })
    return Number(/Firefox (\d+)/.exec(stdout ?? '')?.[1] ?? 0) >= oldestMajor
  })
  return known
}

/** Why this machine has no Firefox to test with, as the reason of a skipped test; undefined if it has. */
export const whyNoFirefox = (): string | undefined =>
  installedFirefox() === undefined ? `skipped: needs Firefox ${oldestMajor} or newer (Debian: firefox-esr)` : undefined

/**
 * A Firefox in a namespace, driven from outside it by WebDriver BiDi, which Firefox offers on its own loopback only: a process in
 * the namespace hands what comes to a socket in the file system on to that.
 *
 *     puppeteer ── 127.0.0.1:port here ── bridge.sock ── 127.0.0.1:port in the namespace (Firefox)
 */
export class Firefox {
  readonly #directory: string
  readonly #executable: string
  readonly #port: number
  readonly #server: Server
  readonly #bridge: ChildProcess
  #browser: Browser | undefined

  private constructor(directory: string, executable: string, port: number, server: Server, inside: ChildProcess) {
    this.#directory = directory
    this.#executable = executable
    this.#port = port
    this.#server = server
    this.#bridge = inside
  }

  /** `directory` exists and holds the profile, which survives the browser. */
  static async in(namespace: string, directory: string): Promise<Firefox> {
    const executable = join(directory, 'firefox')
    await writeFile(executable, `#!/bin/sh\nexec ip netns exec ${namespace} ${installedFirefox() ?? 'firefox'} "$@"\n`)
    await chmod(executable, 0o755)
    const port = await freeTcpPort()
    const path = join(directory, 'bridge.sock')
    const [command, ...args] = inNamespace(namespace, [process.execPath, bridge, path, `${port}`])
    const inside = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(inside, 'exit').then(() => Promise.reject(new Error('the bridge into the namespace ended')))
    // Later on it is ended on purpose.
    ended.catch(() => undefined)
    await Promise.race([once(inside.stdout, 'data'), ended])
    const server = createServer((here) => {
      const there = connect(path)
      // One end that breaks off ends the other; puppeteer tells what that means for the browser.
      here.on('error', () => there.destroy()).pipe(there)
      there.on('error', () => here.destroy()).pipe(here)
    })
    await once(server.listen(port, '127.0.0.1'), 'listening')
    return new Firefox(directory, executable, port, server, inside)
  }

  /** Opens the browser and its first page. */
  async open(): Promise<Page> {
    this.#browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: this.#executable,
      headless: true,
      debuggingPort: this.#port,
      userDataDir: join(this.#directory, 'profile'),
      defaultViewport: { width: 1280, height: 800 },
      timeout: 60_000,
    })
    const [first] = await this.#browser.pages()
    return first ?? (await this.#browser.newPage())
  }

  /** Kills every process of it at once, as a power cut would. */
  async kill(): Promise<void> {
    const browser = this.#browser
    this.#browser = undefined
    const pids = processTree(join(this.#directory, 'profile'))
    signalAll(pids, 'SIGKILL')
    // The profile is locked for as long as one of them is left.
    await haveEnded(pids)
    // Its processes are gone; this only tidies up puppeteer's own side.
    await browser?.disconnect().catch(() => undefined)
  }

  async end(): Promise<void> {
    await this.kill()
    this.#bridge.kill('SIGKILL')
    this.#server.close()
  }
}
