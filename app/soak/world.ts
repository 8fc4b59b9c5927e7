import { join } from 'node:path'
import { relayAddresses } from '../e2e/harness/relay-addresses.ts'
import { RelayProcess } from '../e2e/harness/relay-process.ts'
import type { Account } from './account.ts'
import type { Book } from './book.ts'
import { BrowserAccount } from './browser-account.ts'
import { EngineAccount } from './engine-account.ts'
import type { Mutant } from './engine-calls.ts'
import { TcpProxy } from './tcp-proxy.ts'
import { nameOf } from './texts.ts'

/** Everything that runs: relays, accounts and the ways between them. */
export interface World {
  readonly relays: readonly RelayProcess[]
  readonly accounts: readonly Account[]
  /** The way to an engine's relay, for it and for everybody who writes to it; browsers go straight. */
  readonly proxies: ReadonlyMap<string, TcpProxy>
  end(): Promise<void>
}

export interface WorldOptions {
  readonly directory: string
  readonly relays: number
  readonly engines: number
  readonly browsers: number
  readonly mutant?: Mutant
}

/** Two at a time: starting is work for the processor, and there may be only two. */
const startedAtOnce = 2

/** 3 min from start to ready: twenty engines and some browsers may be starting or catching up beside it on two cores. */
const readyWithinMs = 180_000

/** `act` for each, a few at a time. */
export const eachFew = async <T>(
  things: readonly T[],
  few: number,
  act: (thing: T) => Promise<void>,
): Promise<void> => {
  const left = [...things]
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await act(next)
  }
  await Promise.all(Array.from({ length: few }, work))
}

/** A relay's WebSocket by another port of this machine. */
const through = (addresses: readonly string[], port: number): string => {
  const peerId = addresses.map((address) => /\/p2p\/([A-Za-z0-9]+)$/.exec(address)?.[1]).find((id) => id !== undefined)
  if (peerId === undefined) throw new Error('a relay that tells no address')
  return `/ip4/127.0.0.1/tcp/${port}/ws/p2p/${peerId}`
}

/** Starts relays, then accounts, and waits until each account is published. Accounts take turns at the relays. */
export const startWorld = async (options: WorldOptions, book: Book): Promise<World> => {
  const { directory, engines, browsers, mutant } = options
  const relays: RelayProcess[] = []
  const accounts: Account[] = []
  const proxies = new Map<string, TcpProxy>()
  const end = async (): Promise<void> => {
    await Promise.all(accounts.map((account) => account.kill()))
    await Promise.all(relays.map((relay) => relay.kill()))
    await Promise.all([...proxies.values()].map((proxy) => proxy.close()))
  }
  const events = {
    arrived: (text: string) => book.arrive(text, true),
    status: (...seen: Parameters<Book['status']>) => book.status(...seen),
    unstored: (account: string, ids: readonly string[]) => book.addUnstored(account, ids),
    problem: (account: string, message: string) => book.problem(account, message),
  }
  const addEngine = async (index: number, relay: RelayProcess): Promise<void> => {
    const name = nameOf(index)
    const proxy = await TcpProxy.start(relay.port)
    proxies.set(name, proxy)
    const addresses = [through(await relayAddresses(relay), proxy.port)]
    const common = { name, events, directory: join(directory, name), addresses, ...(mutant ? { mutant } : {}) }
    accounts.push(new EngineAccount({ ...common, reads: index % 2 === 1 }))
  }
  try {
    for (let i = 0; i < options.relays; i++) {
      const servesApp = browsers > 0
      const dataDirectory = join(directory, `relay-${i}`)
      relays.push(await RelayProcess.start({ dataDirectory, servesApp, goesFirst: true, readyWithinMs }))
    }
    for (let i = 0; i < engines + browsers; i++) {
      const relay = relays[i % relays.length]
      if (!relay) throw new Error('there is no relay')
      if (i < engines) await addEngine(i, relay)
      else
        accounts.push(
          new BrowserAccount({ name: nameOf(i), directory: join(directory, nameOf(i)), url: relay.url, events }),
        )
    }
    await eachFew(accounts, startedAtOnce, async (account) => {
      await account.start()
      await account.onboard()
    })
  } catch (cause) {
    await end()
    throw cause
  }
  return { relays, accounts, proxies, end }
}
