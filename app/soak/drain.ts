import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, type Page } from '@playwright/test'
import { Person } from '../e2e/harness/person.ts'
import { Profile } from '../e2e/harness/profile.ts'
import { relayAddresses } from '../e2e/harness/relay-addresses.ts'
import { RelayProcess } from '../e2e/harness/relay-process.ts'
import { Changes } from '../../signaling/changes.fixture.ts'
import type { AccountEvents } from './account.ts'
import { EngineAccount } from './engine-account.ts'
import type { Status } from './model.ts'
import { nameOf } from './texts.ts'
import { eachFew } from './world.ts'

/*
 * Somebody was away, and comes back to thousands of messages of many contacts, which wait at the relay. How long it takes until
 * all are there, whether the page stays quick meanwhile, and that a browser killed in the middle goes on where it was.
 */

export interface DrainOptions {
  /** Empty, and there for the run's length. */
  readonly directory: string
  readonly contacts: number
  /** Of each. */
  readonly messages: number
  readonly say: (line: string) => void
}

export interface Drained {
  /** From asking for the page to the last message, without the time between the kill and the next start. */
  readonly seconds: number
  readonly messagesPerSecond: number
  /** Tasks of the page's main thread that took over 50 ms, in milliseconds, in both lives, from when it says that messages come. */
  readonly longTasksMs: readonly number[]
  /** The same of the starts before that. */
  readonly startTasksMs: readonly number[]
  /** What was there when the browser was killed in the middle, and what the app then said is still to come. */
  readonly thereAtKill: number
  readonly toGoAfterKill: number
}

/** Two at a time: starting is work for the processor, and there may be only two. */
const atOnce = 2

/** 500 ms: looking costs the page a task of its own. */
const lookMs = 500

/** 90 s for a first answer and for 200 messages to be taken, which take some seconds each. */
const knownWithinMs = 90_000
const sentWithinMs = 90_000

/** 10 min for what takes one or two. */
const drainWithinSeconds = 600

const textOfMessage = (contact: string, number: number): string =>
  `${contact}, ${number}: what people say to each other while somebody is away`

/** Tasks of a page that took over 50 ms, and when they began, in milliseconds of its life; and when it first showed progress. */
interface Watched {
  readonly tasks: { readonly startMs: number; readonly lengthMs: number }[]
  progressMs?: number
}

/** Watches a page from its beginning. */
const watchTasks = (): void => {
  const watched: Watched = { tasks: [] }
  Object.assign(globalThis, { watched })
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries())
      watched.tasks.push({ startMs: startTime, lengthMs: Math.round(duration) })
  }).observe({ type: 'longtask', buffered: true })
  const progress = new MutationObserver(() => {
    if (document.querySelector('progress[aria-label="Catching up"]') === null) return
    watched.progressMs = performance.now()
    progress.disconnect()
  })
  progress.observe(document, { childList: true, subtree: true })
}

/** Lengths of long tasks before and after the page has first shown progress. */
const longTasks = async (page: Page): Promise<{ starting: number[]; draining: number[] }> => {
  const read = (): Watched => (globalThis as unknown as { watched: Watched }).watched
  const { tasks, progressMs = Number.POSITIVE_INFINITY } = await page.evaluate(read)
  const lengths = (isLater: boolean): number[] =>
    tasks.filter(({ startMs }) => startMs >= progressMs === isLater).map(({ lengthMs }) => lengthMs)
  return { starting: lengths(false), draining: lengths(true) }
}

/** Sum of what the rows of the list say is unread, and what is still to come, if that is shown. */
const look = (page: Page): Promise<{ unread: number; toGo: number | undefined }> =>
  page.evaluate(() => {
    const rows = [...document.querySelectorAll('[aria-label="Conversations"] > li')]
    const unread = rows.reduce((sum, row) => sum + Number(/(\d+) unread/.exec(row.textContent)?.[1] ?? 0), 0)
    const progress = document.querySelector('progress[aria-label="Catching up"]')
    const toGo = /([\d,]+) messages? to go/.exec(progress?.nextElementSibling?.textContent ?? '')?.[1]
    return { unread, toGo: toGo === undefined ? undefined : Number(toGo.replaceAll(',', '')) }
  })

/** Accounts that met the person and have left a number of messages while the person was away. */
class Crowd {
  readonly #accounts: EngineAccount[]
  readonly #sent = new Map<string, Set<string>>()
  readonly #changes = new Changes()
  /** Rejects with the first thing that went wrong in an account's process. */
  readonly #wrong = Promise.withResolvers<never>()

  constructor(directory: string, addresses: readonly string[], size: number) {
    const events: AccountEvents = {
      arrived: () => undefined,
      status: (text, status) => this.#onStatus(text, status),
      unstored: () => undefined,
      problem: (account, message) => this.#wrong.reject(new Error(`${account}: ${message}`)),
    }
    // Heard by whatever waits; after the end nobody does.
    this.#wrong.promise.catch(() => undefined)
    this.#accounts = Array.from({ length: size }, (_, i) => {
      const name = nameOf(i)
      return new EngineAccount({ name, directory: join(directory, name), addresses, reads: false, events })
    })
  }

  #onStatus(text: string, status: Status): void {
    if (status === 'waiting') return
    const account = text.slice(0, text.indexOf(','))
    this.#sent.set(account, (this.#sent.get(account) ?? new Set()).add(text))
    this.#changes.changed()
  }

  /** Each meets the person by an invite of theirs. */
  meet(person: Person): Promise<void> {
    return this.#each(1, async (account) => {
      await account.start()
      await account.onboard()
      const link = await person.invite()
      await account.accept(link.split('#i/')[1] ?? '')
      const deadline = AbortSignal.timeout(knownWithinMs)
      while (!account.knows(person.name)) {
        if (deadline.aborted) throw new Error(`${account.name} has heard nothing of ${person.name}`)
        await pause(50)
      }
      await account.kill()
    })
  }

  #each(few: number, act: (account: EngineAccount) => Promise<void>): Promise<void> {
    return Promise.race([eachFew(this.#accounts, few, act), this.#wrong.promise])
  }

  /** Each writes, and stays until the relay has everything. */
  async write(to: string, messages: number): Promise<void> {
    await this.#each(atOnce, async (account) => {
      await account.start()
      const texts = Array.from({ length: messages }, (_, i) => textOfMessage(account.name, i + 1))
      await account.send(to, texts, () => undefined)
      const deadline = AbortSignal.timeout(sentWithinMs)
      const isSent = (): boolean => this.#sent.get(account.name)?.size === messages
      deadline.addEventListener('abort', () => this.#changes.changed())
      await this.#changes.until(() => isSent() || deadline.aborted)
      if (!isSent()) throw new Error(`not all that ${account.name} wrote has been taken`)
      await account.kill()
    })
  }

  async end(): Promise<void> {
    await Promise.all(this.#accounts.map((account) => account.kill()))
  }
}

/** Opens the app and watches until at least `unread` are there. `toGo`: what it first said is to come. */
const drainUntil = async (
  page: Page,
  url: string,
  unread: number,
  say: DrainOptions['say'],
): Promise<{ seconds: number; toGo: number | undefined }> => {
  const startedMs = performance.now()
  await page.goto(url)
  let toGo: number | undefined
  for (;;) {
    const seen = await look(page)
    toGo ??= seen.toGo
    say(`${seen.unread} unread, ${seen.toGo ?? 'nothing said'} to go`)
    const seconds = (performance.now() - startedMs) / 1_000
    if (seen.unread >= unread) return { seconds, toGo }
    if (seconds > drainWithinSeconds) throw new Error(`only ${seen.unread} of ${unread} arrived`)
    await pause(lookMs)
  }
}

/** All that a contact wrote stands in the conversation, once and in order. */
const expectWhole = async (person: Person, contact: string, messages: number): Promise<void> => {
  await person.openConversation(contact)
  const numbers = (await person.read()).map(({ text }) => Number(/, (\d+): what people say/.exec(text)?.[1]))
  expect(numbers).toEqual(Array.from({ length: messages }, (_, i) => i + 1))
}

/** One run. @throws Error when something did not arrive, arrived twice or out of order, or no progress was shown. */
export const drain = async ({ directory, contacts, messages, say }: DrainOptions): Promise<Drained> => {
  const relay = await RelayProcess.start({ dataDirectory: join(directory, 'relay') })
  const profile = new Profile({
    directory: join(directory, 'profile'),
    prepare: async (context) => void (await context.addInitScript(watchTasks)),
  })
  let crowd: Crowd | undefined
  try {
    crowd = new Crowd(directory, await relayAddresses(relay), contacts)
    const person = new Person(await profile.open(), 'Alice')
    await person.onboard(relay.url)
    await crowd.meet(person)
    say(`${contacts} contacts have met Alice`)
    await profile.close()
    await crowd.write('Alice', messages)
    say(`${contacts * messages} messages wait`)

    const all = contacts * messages
    person.page = await profile.open()
    const before = await drainUntil(person.page, relay.url, all / 2, say)
    const early = await longTasks(person.page)
    const thereAtKill = (await look(person.page)).unread
    await profile.kill()
    say('the browser was killed')
    person.page = await profile.open()
    const after = await drainUntil(person.page, relay.url, all, say)
    if (before.toGo === undefined || after.toGo === undefined) throw new Error('no progress was shown')
    const late = await longTasks(person.page)
    const longTasksMs = [...early.draining, ...late.draining]
    const startTasksMs = [...early.starting, ...late.starting]
    for (const index of [0, Math.floor(contacts / 2), contacts - 1]) await expectWhole(person, nameOf(index), messages)
    expect((await look(person.page)).unread).toBe(all - 3 * messages)
    const seconds = before.seconds + after.seconds
    const messagesPerSecond = all / seconds
    return { seconds, messagesPerSecond, longTasksMs, startTasksMs, thereAtKill, toGoAfterKill: after.toGo }
  } finally {
    await profile.kill()
    await crowd?.end()
    await relay.kill()
  }
}
