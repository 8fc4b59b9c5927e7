import type { SeenOnScreen } from './account.ts'
import { Changes } from '../../signaling/changes.fixture.ts'
import type { Status, StatusSeen } from './model.ts'
import { nameIn } from './texts.ts'

const order: Readonly<Record<Status, number>> = { waiting: 0, sent: 1, delivered: 2, read: 3 }

/** What is known of one channel while the run goes on. */
interface Page {
  attempted: number
  readonly acknowledged: Map<number, number>
  readonly arrived: Set<number>
  readonly receipted: Set<number>
}

/** Everything observed in a run, as it is observed. */
export class Book {
  readonly changes = new Changes()
  readonly statuses: StatusSeen[] = []
  readonly unstored = new Map<string, string[]>()
  readonly problems = new Map<string, number>()
  readonly refusals: { readonly channel: string; readonly message: string }[] = []
  readonly delaysMs: number[] = []
  /** By channel, the message that was on its way longest. Times are of `performance.now()`. */
  readonly slowest = new Map<string, { readonly number: number; readonly ms: number; readonly atMs: number }>()
  readonly #pages = new Map<string, Page>()
  readonly #last = new Map<string, Status>()
  #attempted = 0
  #acknowledged = 0
  #arrived = 0

  get attempted(): number {
    return this.#attempted
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Of the acknowledged ones, and of those whose writer was killed before it heard that they are stored. */
  get arrived(): number {
    return this.#arrived
  }

  page(channel: string): Page {
    let page = this.#pages.get(channel)
    if (!page) {
      page = { attempted: 0, acknowledged: new Map(), arrived: new Set(), receipted: new Set() }
      this.#pages.set(channel, page)
    }
    return page
  }

  attempt(channel: string, number: number): void {
    const page = this.page(channel)
    this.#attempted += Math.max(0, number - page.attempted)
    page.attempted = Math.max(page.attempted, number)
    this.changes.changed()
  }

  acknowledge(text: string): void {
    const name = nameIn(text)
    if (!name) return
    this.page(name.channel).acknowledged.set(name.number, performance.now())
    this.#acknowledged++
    this.changes.changed()
  }

  /** `heard`: the recipient told of it as it came; else it was found on a screen, who knows how long after. */
  arrive(text: string, heard: boolean): void {
    const name = nameIn(text)
    if (!name) return
    const { arrived, acknowledged } = this.page(name.channel)
    if (arrived.size === arrived.add(name.number).size) return
    this.#arrived++
    const sinceMs = acknowledged.get(name.number)
    // One that was on screen before its writer's yes had come this way took no time.
    if (heard) this.#addDelay(name, sinceMs === undefined ? 0 : performance.now() - sinceMs)
    this.changes.changed()
  }

  status(text: string, status: Status): void {
    const name = nameIn(text)
    if (!name) return
    const { channel, number } = name
    // The same again says nothing; everything else is kept in order.
    if (this.#last.get(`${channel}#${number}`) === status) return
    this.#last.set(`${channel}#${number}`, status)
    this.statuses.push({ channel, number, status })
    if (order[status] < order.delivered) return
    this.page(channel).receipted.add(number)
    this.changes.changed()
  }

  #addDelay({ channel, number }: { channel: string; number: number }, ms: number): void {
    this.delaysMs.push(ms)
    if (ms > (this.slowest.get(channel)?.ms ?? -1)) this.slowest.set(channel, { number, ms, atMs: performance.now() })
  }

  /** What stands on somebody's screen. */
  see(account: string, rows: readonly SeenOnScreen[]): void {
    for (const { text, status } of rows) {
      if (nameIn(text)?.from !== account) this.arrive(text, false)
      else if (status) this.status(text, status)
    }
  }

  addUnstored(account: string, ids: readonly string[]): void {
    this.unstored.set(account, [...new Set([...(this.unstored.get(account) ?? []), ...ids])])
  }

  /** A writer that was not killed could not write. The run goes on, so that it is known what else is wrong. */
  refused(channel: string, message: string): void {
    this.refusals.push({ channel, message })
  }

  problem(account: string, message: string): void {
    const line = `${account}: ${message}`
    this.problems.set(line, (this.problems.get(line) ?? 0) + 1)
  }

  /** Milliseconds that the longest of these channels' messages has been on its way. */
  oldestMs(channels: readonly string[]): number {
    const now = performance.now()
    const written = channels.flatMap((channel) => {
      const [first] = this.outstanding(channel)
      return first === undefined ? [] : [this.page(channel).acknowledged.get(first) ?? now]
    })
    return now - Math.min(now, ...written)
  }

  /** Acknowledged messages of a channel that nobody has seen on its recipient's screen. */
  outstanding(channel: string): number[] {
    const { acknowledged, arrived } = this.page(channel)
    return [...acknowledged.keys()].filter((number) => !arrived.has(number))
  }
}
