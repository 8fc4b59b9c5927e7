import { setTimeout as pause } from 'node:timers/promises'
import type { Account } from './account.ts'
import type { Book } from './book.ts'
import { EngineAccount, Killed } from './engine-account.ts'
import type { Fault, FaultKind } from './schedule.ts'
import type { Trouble } from './tcp-proxy.ts'
import type { World } from './world.ts'

/** What happened to a target is over before the next thing happens to it. */
export class Faults {
  readonly #world: World
  readonly #book: Book
  readonly #tell: (line: string) => void
  readonly #turns = new Map<string, Promise<void>>()
  readonly done = new Map<FaultKind, number>()
  #running = 0

  /** `tell` hears of each fault as it begins. */
  constructor(world: World, book: Book, tell: (line: string) => void) {
    this.#world = world
    this.#book = book
    this.#tell = tell
  }

  get running(): number {
    return this.#running
  }

  get count(): number {
    return [...this.done.values()].reduce((sum, one) => sum + one, 0)
  }

  /** Begins a fault as soon as its target is free; resolves when all is as before. */
  run(fault: Fault): Promise<void> {
    const target = 'relay' in fault ? `relay ${fault.relay}` : `account ${fault.account}`
    const act = async (): Promise<void> => {
      this.#running++
      this.#tell(`fault: ${fault.kind} of ${target} for ${fault.lastsMs} ms`)
      await this.#act(fault)
      this.#running--
      this.done.set(fault.kind, (this.done.get(fault.kind) ?? 0) + 1)
      this.#book.changes.changed()
    }
    const turn = (this.#turns.get(target) ?? Promise.resolve()).then(act)
    this.#turns.set(target, turn)
    return turn
  }

  /** Resolves when every fault that was begun is over. */
  async settled(): Promise<void> {
    await Promise.all(this.#turns.values())
  }

  async #act(fault: Fault): Promise<void> {
    switch (fault.kind) {
      case 'relay-kill': {
        const relay = this.#relay(fault.relay)
        await relay.kill()
        await pause(fault.lastsMs)
        return relay.start()
      }
      case 'relay-freeze': {
        const relay = this.#relay(fault.relay)
        relay.stop()
        await pause(fault.lastsMs)
        return relay.continue()
      }
      case 'engine-kill':
      case 'browser-kill':
        return this.#kill(this.#account(fault.account), fault.lastsMs)
      case 'engine-freeze':
      case 'browser-freeze': {
        const account = this.#account(fault.account)
        account.freeze()
        await pause(fault.lastsMs)
        return account.thaw()
      }
      case 'clock':
        return this.#shiftClock(this.#account(fault.account), fault.offsetMs, fault.lastsMs)
      case 'cut':
        return this.#trouble(fault.account, { kind: 'refuse' }, fault.lastsMs)
      case 'half-open':
        return this.#trouble(fault.account, { kind: 'swallow' }, fault.lastsMs)
      case 'slow':
        return this.#trouble(fault.account, { kind: 'slow', bytesPerSecond: fault.bytesPerSecond }, fault.lastsMs)
      case 'delay':
        return this.#trouble(fault.account, { kind: 'delay', delayMs: fault.delayMs }, fault.lastsMs)
    }
  }

  async #kill(account: Account, lastsMs: number): Promise<void> {
    await account.kill()
    await pause(lastsMs)
    await account.start()
    this.#book.changes.changed()
    await lookAt(account, this.#world, this.#book)
  }

  async #shiftClock(account: Account, offsetMs: number, lastsMs: number): Promise<void> {
    if (!(account instanceof EngineAccount)) return
    await account.setClock(offsetMs)
    await pause(lastsMs)
    await account.setClock(0)
  }

  async #trouble(account: number, trouble: Trouble, lastsMs: number): Promise<void> {
    const proxy = this.#world.proxies.get(this.#account(account).name)
    if (!proxy) return
    proxy.trouble = trouble
    if (trouble.kind === 'refuse') proxy.cut()
    await pause(lastsMs)
    proxy.trouble = { kind: 'none' }
  }

  #relay(index: number): World['relays'][number] {
    const relay = this.#world.relays[index]
    if (!relay) throw new Error(`there is no relay ${index}`)
    return relay
  }

  #account(index: number): Account {
    const account = this.#world.accounts[index]
    if (!account) throw new Error(`there is no account ${index}`)
    return account
  }
}

/** What arrived or changed just before a kill may never have been told: the ends of an engine's conversations are looked at. */
const lookAt = async (account: Account, { accounts }: World, book: Book): Promise<void> => {
  if (account.kind !== 'engine') return
  try {
    for (const { name } of accounts) {
      if (name !== account.name && (await account.knows(name))) book.see(account.name, await account.read(name, true))
    }
  } catch (cause) {
    // Killed again: the next start looks again.
    if (!(cause instanceof Killed)) throw cause
  }
}
