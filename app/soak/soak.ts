import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Book } from './book.ts'
import { collect } from './collect.ts'
import { Faults } from './faults.ts'
import { meet, pairsOf } from './meeting.ts'
import { checkHistory, type Violation } from './model.ts'
import type { SoakOptions } from './options.ts'
import { progressLine, summaryLines } from './report.ts'
import { makeSchedule, type Fault } from './schedule.ts'
import { settle, type Run } from './settle.ts'
import { startWorld, type World } from './world.ts'
import { channelsOf, writeAll } from './writers.ts'

/** A line of progress every 5 s. */
const progressMs = 5_000

/** Four at once: when everything is down nothing is put to the test, and starts of everything at once take minutes on two cores. */
const mostFaults = 4

/** Begins each fault when its share of the messages is written; resolves when all that were begun are over. */
const runFaults = async (
  { options, book }: Run,
  faults: Faults,
  schedule: readonly Fault[],
  isOver: () => boolean,
): Promise<void> => {
  for (const fault of schedule) {
    const isDue = (): boolean => book.attempted >= fault.at * options.messages && faults.running < mostFaults
    await book.changes.until(() => isOver() || isDue())
    if (isOver()) break
    // Whatever goes wrong in it is thrown by `settled`.
    faults.run(fault).catch(() => undefined)
  }
  await faults.settled()
}

/** True when nothing has been written or has arrived for as long as patience lasts: a stall, which the model calls a loss. */
const watchForStall = ({ book, options }: Run): (() => boolean) => {
  let moved = -1
  let sinceMs = performance.now()
  return () => {
    const now = book.attempted + book.arrived
    if (now !== moved) sinceMs = performance.now()
    moved = now
    return performance.now() - sinceMs > options.patience * 1_000
  }
}

const runMessages = async (
  run: Run,
  report: (line: string) => void,
): Promise<{ faults: Faults; violations: Violation[] }> => {
  const { options, world, book, channels, directory } = run
  const { accounts, browsers } = options
  const schedule = makeSchedule(options.seed, { ...options, engines: accounts - browsers })
  const faults = new Faults(world, book, report)
  const overMs = performance.now() + options.minutes * 60_000
  const isStalled = watchForStall(run)
  let over = false
  const timer = setInterval(() => {
    report(progressLine(run, faults, schedule.length))
    over ||= performance.now() > overMs || isStalled()
    if (over) book.changes.changed()
  }, progressMs)
  try {
    const written = writeAll(channels, book, options.seed, () => over)
    await Promise.all([written, runFaults(run, faults, schedule, () => over)])
    report('everything is written, every fault is over')
    const stuck = await settle(run, report)
    const refused = book.refusals.map(({ channel, message }): Violation => ({
      kind: 'refused',
      where: channel,
      detail: message,
    }))
    const history = await collect(world, book, channels, directory)
    return { faults, violations: [...refused, ...stuck, ...checkHistory(history)] }
  } finally {
    clearInterval(timer)
  }
}

export interface SoakResult {
  readonly violations: readonly Violation[]
  /** What to tell of the run, the summary last. */
  readonly lines: readonly string[]
}

/** Rejects when somebody does not want to wait any longer. */
const stopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('the run was stopped'))))

/** The run in a world that has started. */
const runIn = async (
  world: World,
  book: Book,
  directory: string,
  options: SoakOptions,
  report: (line: string) => void,
) => {
  const pairs = pairsOf(world.accounts)
  await meet(pairs)
  report(`${pairs.length} pairs have met`)
  const startedMs = performance.now()
  const run = { options, directory, world, book, channels: channelsOf(pairs, options.messages) }
  const { faults, violations } = await runMessages(run, report)
  return { violations, lines: summaryLines(options, book, faults, violations, performance.now() - startedMs) }
}

/**
 * One run from the first relay to the last look, in a folder of its own that is gone afterwards, as is everything it started,
 * also when `signal` stops it.
 */
export const runSoak = async (
  options: SoakOptions,
  report: (line: string) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<SoakResult> => {
  const directory = await mkdtemp(join(tmpdir(), 'sotto-soak-'))
  const book = new Book()
  const { accounts, browsers, relays, mutant } = options
  let world: World | undefined
  try {
    const places = { directory, relays, browsers, engines: accounts - browsers, ...(mutant ? { mutant } : {}) }
    world = await startWorld(places, book)
    signal.throwIfAborted()
    report(`${accounts} accounts live at ${relays} relays`)
    return await Promise.race([runIn(world, book, directory, options, report), stopped(signal)])
  } finally {
    await world?.end()
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}
