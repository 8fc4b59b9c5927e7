import { chromium, type BrowserContext, type Page } from '@playwright/test'
import { browserArguments, installedBrowser } from '../../../.ci/find-browser.ts'
import { haveEnded, processTree, signalAll } from './processes.ts'

export interface ProfileOptions {
  /** Chromium's --user-data-dir; what the app stores lives in it and survives the browser. */
  readonly directory: string
  /** A browser to run instead of the one found, e.g. a wrapper that enters a network namespace. */
  readonly executable?: string
  readonly extraArguments?: readonly string[]
  readonly context?: {
    readonly viewport?: { width: number; height: number }
    readonly colorScheme?: 'light' | 'dark'
    readonly reducedMotion?: 'reduce'
    readonly permissions?: string[]
    readonly hasTouch?: boolean
    readonly isMobile?: boolean
  }
  /** Runs on every new context, before its first page is used. */
  readonly prepare?: (context: BrowserContext) => Promise<void>
}

/** Wide enough for the list and a conversation side by side. */
const desktop = { width: 1280, height: 800 }

/** One person's browser: its own directory, closed, killed and opened again at will. */
export class Profile {
  readonly #options: ProfileOptions
  #context: BrowserContext | undefined
  /** What the pages wrote to the console or threw; a private messenger writes nothing. */
  readonly consoleLines: string[] = []

  constructor(options: ProfileOptions) {
    this.#options = options
  }

  get directory(): string {
    return this.#options.directory
  }

  get context(): BrowserContext {
    if (this.#context === undefined) throw new Error('this browser is not open')
    return this.#context
  }

  get isOpen(): boolean {
    return this.#context !== undefined
  }

  /** Opens the browser and its first page. */
  async open(): Promise<Page> {
    const executable = this.#options.executable ?? installedBrowser()
    this.#context = await chromium.launchPersistentContext(this.#options.directory, {
      ...(executable === undefined ? {} : { executablePath: executable }),
      headless: true,
      args: [...browserArguments, ...(this.#options.extraArguments ?? [])],
      viewport: desktop,
      ...this.#options.context,
    })
    this.#context.on('page', (page) => this.#listen(page))
    for (const page of this.#context.pages()) this.#listen(page)
    await this.#options.prepare?.(this.#context)
    return this.#context.pages()[0] ?? (await this.#context.newPage())
  }

  #listen(page: Page): void {
    page.on('console', (message) => this.consoleLines.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', (error) => this.consoleLines.push(`pageerror: ${error.message}`))
  }

  /** All processes of this browser. */
  processes(): number[] {
    return processTree(`--user-data-dir=${this.#options.directory}`)
  }

  /** Closes it as a person does. */
  async close(): Promise<void> {
    const context = this.#context
    this.#context = undefined
    await context?.close()
  }

  /** Kills every process of it at once, as a power cut would. */
  async kill(): Promise<void> {
    if (this.#context !== undefined) await this.aim()()
  }

  /**
   * Looks up its processes now, so that the kill itself takes no time. Returns when they have ended: a browser that is opened
   * while the one before still holds its files finds them locked, and begins with an empty table of what is stored.
   */
  aim(): () => Promise<void> {
    const pids = this.processes()
    return async () => {
      signalAll(pids, 'SIGKILL')
      const context = this.#context
      this.#context = undefined
      // Playwright learns of it by its pipe; closing only tidies up its own side.
      await context?.close().catch(() => undefined)
      await haveEnded(pids)
    }
  }

  /** Freezes every process of it: timers, network and disk stand still. */
  stop(): void {
    signalAll(this.processes(), 'SIGSTOP')
  }

  /** Thaws it. */
  continue(): void {
    signalAll(this.processes(), 'SIGCONT')
  }
}
