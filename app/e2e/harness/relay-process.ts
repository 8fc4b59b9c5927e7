import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { inNamespace } from './namespaces.ts'
import { freeTcpPort, freeUdpPort } from './processes.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** How long a relay may take from its start to its first `ready`, on a busy two-core machine. */
const usuallyReadyMs = 20_000

export interface RelayOptions {
  /** Kept over restarts, as the ports are. */
  readonly dataDirectory: string
  /** Address to listen on. @default 127.0.0.1 */
  readonly host?: string
  /** Runs the process inside this network namespace. */
  readonly namespace?: string
  /** Serves the built app. @default true */
  readonly servesApp?: boolean
  readonly extraArguments?: readonly string[]
  /** As on a machine of its own: it need not wait for a turn behind many clients on this one. Needs root, else it waits. */
  readonly goesFirst?: boolean
  /** For starts beside much else that runs. @default 20_000 */
  readonly readyWithinMs?: number
}

const goFirst = (pid: number): void => {
  try {
    setPriority(pid, constants.priority.PRIORITY_HIGH)
  } catch (cause) {
    // Not root: it waits its turn.
    if (!['EACCES', 'EPERM'].includes((cause as { info?: { code?: string } }).info?.code ?? '')) throw cause
  }
}

/** One real relay process: always the same data and ports, however often it dies. */
export class RelayProcess {
  readonly port: number
  readonly udpPort: number
  readonly stunPort: number
  readonly dataDirectory: string
  #options: RelayOptions
  #child: ChildProcess | undefined
  #log = ''

  private constructor(options: RelayOptions, port: number, udpPort: number, stunPort: number) {
    this.#options = options
    this.dataDirectory = options.dataDirectory
    this.port = port
    this.udpPort = udpPort
    this.stunPort = stunPort
  }

  static async start(options: RelayOptions): Promise<RelayProcess> {
    const relay = new RelayProcess(options, await freeTcpPort(), await freeUdpPort(), await freeUdpPort())
    await relay.start()
    return relay
  }

  /** The app's address, as a person on this machine would open it. */
  get url(): string {
    return `http://${this.#options.host ?? 'localhost'}:${this.port}`
  }

  get #host(): string {
    return this.#options.host ?? '127.0.0.1'
  }

  get namespace(): string | undefined {
    return this.#options.namespace
  }

  /** Everything it has printed so far, over all its lives. */
  get log(): string {
    return this.#log
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error('the relay is not running')
    return this.#child.pid
  }

  get #command(): [string, ...string[]] {
    const flags = {
      port: `${this.port}`,
      'udp-port': `${this.udpPort}`,
      'stun-port': `${this.stunPort}`,
      data: this.dataDirectory,
      host: this.#host,
    }
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
    return inNamespace(this.#options.namespace, [
      process.execPath,
      'node/main.ts',
      ...args,
      ...(this.#options.servesApp === false ? ['--no-app'] : []),
      ...(this.#options.extraArguments ?? []),
    ])
  }

  /** Starts it (again) and waits until it says that it is ready. */
  async start(): Promise<void> {
    const [command, ...args] = this.#command
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    if (this.#options.goesFirst === true && child.pid !== undefined) goFirst(child.pid)
    const collect = (chunk: Buffer): void => {
      this.#log += chunk.toString('utf8')
    }
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    const { readyWithinMs = usuallyReadyMs } = this.#options
    const deadline = AbortSignal.timeout(readyWithinMs)
    while (!(await this.isReady())) {
      if (child.exitCode !== null) throw new Error(`the relay ended at once:\n${this.#log}`)
      if (deadline.aborted) throw new Error(`the relay is not ready after ${readyWithinMs} ms:\n${this.#log}`)
      await pause(25)
    }
  }

  /** Asked from where the relay runs; a namespace is not always reachable from here. */
  async isReady(): Promise<boolean> {
    const url = `http://${this.#host}:${this.port}/readyz`
    if (this.#options.namespace !== undefined) {
      const ask = `fetch('${url}').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`
      const [command, ...args] = inNamespace(this.#options.namespace, [process.execPath, '-e', ask])
      return spawnSync(command, args).status === 0
    }
    try {
      return (await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok
    } catch {
      return false
    }
  }

  /** Ends it, and starts it with the same data at another address. */
  async moveTo(host: string): Promise<void> {
    await this.close()
    this.#options = { ...this.#options, host }
    await this.start()
  }

  /** Freezes it as it stands: connections stay open, nobody answers. */
  stop(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  /** Thaws it. */
  continue(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Ends it without a chance to tidy up. */
  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** Asks it to shut down and waits until it has. */
  close(): Promise<void> {
    return this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGCONT')
    child.kill(signal)
    await ended
  }
}
