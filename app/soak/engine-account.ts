import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Account, AccountEvents, SeenOnScreen } from './account.ts'
import type { CallMessage, EngineCalls, EngineMessage, EngineOrder, Mutant } from './engine-calls.ts'

const script = fileURLToPath(new URL('./engine-process.ts', import.meta.url))

/** 3 min from fork to open: twenty engines and some browsers may be at work beside it on two cores. */
const readyWithinMs = 180_000

/** A call was under way when its process was killed: nobody knows what became of it. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (cause: Error) => void
}

export interface EngineAccountOptions {
  readonly name: string
  readonly directory: string
  readonly addresses: readonly string[]
  readonly reads: boolean
  readonly mutant?: Mutant
  readonly events: AccountEvents
}

/** An account in a process of its own, seen from outside: forked, asked, killed, forked again on the same data. */
export class EngineAccount implements Account {
  readonly kind = 'engine'
  readonly name: string
  readonly #options: EngineAccountOptions
  readonly #waiting = new Map<number, Waiting>()
  readonly #conversations = new Map<string, string>()
  #directWith: readonly string[] = []
  #child: ChildProcess | undefined
  #nextId = 1
  #onReady: () => void = () => undefined
  /** What it wrote to its error output, in all its lives: nothing, if all is well. */
  #errors = ''
  accountId = ''

  constructor(options: EngineAccountOptions) {
    this.#options = options
    this.name = options.name
  }

  get isUp(): boolean {
    // A process is told to be at its end a little later than its channel is.
    return this.#child?.connected === true
  }

  async start(): Promise<void> {
    const { directory, addresses, reads, mutant } = this.#options
    const order: EngineOrder = {
      directory,
      addresses,
      reads,
      directWith: this.#directWith,
      ...(mutant ? { mutant } : {}),
    }
    const child = fork(script, [JSON.stringify(order)], {
      execArgv: [...process.execArgv, '--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    })
    this.#child = child
    child.stderr?.on('data', (chunk: Buffer) => (this.#errors = (this.#errors + chunk.toString('utf8')).slice(-4_000)))
    child.on('message', (message) => this.#hear(message as EngineMessage))
    child.on('exit', () => this.#ended(child))
    const ready = new Promise<void>((resolve) => (this.#onReady = resolve))
    const gone = once(child, 'exit').then(() =>
      Promise.reject(new Error(`${this.name} ended at once: ${this.#errors}`)),
    )
    gone.catch(() => undefined)
    const deadline = AbortSignal.timeout(readyWithinMs)
    const late = once(deadline, 'abort').then(() =>
      Promise.reject(new Error(`${this.name} did not start: ${this.#errors}`)),
    )
    late.catch(() => undefined)
    await Promise.race([ready, gone, late])
    for (const { name, conversationId } of await this.#call('conversations'))
      this.#conversations.set(name, conversationId)
  }

  async onboard(): Promise<void> {
    this.accountId = await this.#call('createAccount', this.name)
  }

  invite(): Promise<string> {
    return this.#call('invite')
  }

  accept(fragment: string): Promise<void> {
    return this.#call('accept', fragment)
  }

  /** Direct links to these accounts, from now on and in later lives. */
  async allowDirect(accountIds: readonly string[]): Promise<void> {
    this.#directWith = accountIds
    await this.#call('setDirect', accountIds)
  }

  knows(partner: string): boolean {
    return this.#conversations.has(partner)
  }

  async send(partner: string, texts: readonly string[], stored: (text: string) => void): Promise<void> {
    const conversationId = this.#conversationWith(partner)
    await Promise.all(texts.map(async (text) => this.#call('send', conversationId, text).then(() => stored(text))))
  }

  read(partner: string, newest = false): Promise<SeenOnScreen[]> {
    return this.#call('messages', this.#conversationWith(partner), newest)
  }

  setClock(offsetMs: number): Promise<void> {
    return this.#call('setClock', offsetMs)
  }

  /** What it knows of itself and of the way to this partner, a line each. */
  diagnose(partner: string): Promise<string[]> {
    return this.#call('diagnose', this.#conversationWith(partner))
  }

  get errors(): string {
    return this.#errors
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (!child) return
    const ended = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve()
    child.kill('SIGKILL')
    await ended
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  #conversationWith(partner: string): string {
    const conversationId = this.#conversations.get(partner)
    if (conversationId === undefined) throw new Error(`${this.name} does not know ${partner}`)
    return conversationId
  }

  #call<K extends keyof EngineCalls>(call: K, ...args: Parameters<EngineCalls[K]>): ReturnType<EngineCalls[K]> {
    const child = this.#child
    const answered = new Promise<unknown>((resolve, reject) => {
      if (!child?.connected) return reject(new Killed(`${this.name} is not running`))
      const id = this.#nextId++
      this.#waiting.set(id, { resolve, reject })
      child.send({ id, call, args } satisfies CallMessage, (error) => {
        // The end of the process settles it.
        if (error) this.#waiting.get(id)?.reject(new Killed(`${this.name} was killed`))
      })
    })
    return answered as ReturnType<EngineCalls[K]>
  }

  #hear(message: EngineMessage): void {
    const { events } = this.#options
    switch (message.kind) {
      case 'ready':
        if (message.unstored.length > 0) events.unstored(this.name, message.unstored)
        return this.#onReady()
      case 'answer': {
        const waiting = this.#waiting.get(message.id)
        this.#waiting.delete(message.id)
        if (message.failure === undefined) waiting?.resolve(message.value)
        else waiting?.reject(new Error(`${this.name}: ${message.failure}`))
        return undefined
      }
      case 'arrived':
        return events.arrived(message.text)
      case 'status':
        return events.status(message.text, message.status)
      case 'conversation':
        return void this.#conversations.set(message.name, message.conversationId)
      case 'problem':
        return events.problem(this.name, message.message)
    }
  }

  #ended(child: ChildProcess): void {
    if (this.#child !== child) return
    this.#child = undefined
    if (child.signalCode !== 'SIGKILL') {
      this.#options.events.problem(
        this.name,
        `ended by itself (${child.exitCode ?? child.signalCode}): ${this.#errors}`,
      )
    }
    for (const { reject } of this.#waiting.values()) reject(new Killed(`${this.name} was killed`))
    this.#waiting.clear()
  }
}
