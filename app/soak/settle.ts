import { setTimeout as pause } from 'node:timers/promises'
import type { Account } from './account.ts'
import type { Book } from './book.ts'
import { earlyViolations } from './collect.ts'
import { EngineAccount, Killed } from './engine-account.ts'
import type { Violation } from './model.ts'
import type { SoakOptions } from './options.ts'
import type { World } from './world.ts'
import type { Channel } from './writers.ts'

/** What has not arrived is looked for every 3 s: there may be no event of it, if its recipient was killed just then. */
const lookMs = 3_000

/** Reading a browser's conversation to its beginning is slow: every 30 s, when it may have changed at all. */
const browserLookMs = 30_000

/** A run under way. */
export interface Run {
  readonly options: SoakOptions
  readonly directory: string
  readonly world: World
  readonly book: Book
  readonly channels: readonly Channel[]
}

const look = async ({ book }: Run, { from, to }: Channel): Promise<void> => {
  try {
    book.see(to.name, await to.read(from.name))
  } catch (cause) {
    if (!(cause instanceof Killed)) throw cause
  }
}

/** What an engine says of itself and of one contact. */
const tellWhy = async (account: Account, partner: Account, report: (line: string) => void): Promise<void> => {
  if (!(account instanceof EngineAccount)) return
  for (const line of await account.diagnose(partner.name)) report(`  ${account.name}: ${line}`)
}

/** Every message that should have arrived by now; both ends say what they know of it. */
const stuckIn = async (
  { book }: Run,
  open: readonly Channel[],
  report: (line: string) => void,
): Promise<Violation[]> => {
  const out: Violation[] = []
  for (const { name, from, to } of open) {
    const numbers = book.outstanding(name)
    report(`stuck: ${numbers.length} of ${name}, ${numbers[0]} to ${numbers.at(-1)}`)
    await tellWhy(from, to, report)
    await tellWhy(to, from, report)
    out.push(...numbers.map((number): Violation => ({ kind: 'stuck', where: name, detail: `message ${number}` })))
  }
  return out
}

/**
 * Waits until everything has arrived or something is wrong already. What is still missing when nothing has arrived for as long
 * as patience lasts is stuck: nobody is killed or cut off any more, so nothing but a restart would bring it.
 */
export const settle = async (run: Run, report: (line: string) => void): Promise<Violation[]> => {
  const { options, directory, world, book, channels } = run
  const open = (): Channel[] => channels.filter(({ name }) => book.outstanding(name).length > 0)
  let arrived = book.arrived
  let sinceMs = performance.now()
  let browserLookedMs = Number.NEGATIVE_INFINITY
  while (open().length > 0 && earlyViolations(world, book, directory).length === 0) {
    const withBrowsers = performance.now() - browserLookedMs > browserLookMs
    if (withBrowsers) browserLookedMs = performance.now()
    for (const channel of open()) if (channel.to.kind === 'engine' || withBrowsers) await look(run, channel)
    if (book.arrived > arrived) sinceMs = performance.now()
    arrived = book.arrived
    if (performance.now() - sinceMs > options.patience * 1_000) return stuckIn(run, open(), report)
    if (open().length > 0) await pause(lookMs)
  }
  return []
}
