import { equalBytes, fromHex, toHex } from '../../protocol/wire/bytes.ts'
import { hourMs } from '../../protocol/wire/limits.ts'
import type { NetworkResult, PeerRoute, SendPath } from '../../signaling/network.ts'
import type { ReadTransaction, WriteTransaction } from '../store/client-store.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { outboxTable, type OutboxRow } from '../store/records/outbox.ts'
import { routeOf } from './contacts.ts'
import { raiseStatus } from './conversations.ts'
import type { Core } from './core.ts'
import { writeDiagnostic } from './diagnostics.ts'
import type { Effects } from './effects.ts'
import { backOff, untilMs } from './timers.ts'

/** 64 envelopes under way per contact, as many as a link takes: 300 messages a second where an answer takes 200 ms. */
const maxInFlight = 64

/** 16 of the 20 an invite's lane takes: the rest waits for lanes of our own, instead of being dropped without a word. */
export const inviteLaneRows = 16

/** 50 answers per recording step, as with every other step. */
const maxRecorded = 50

/** An hour: a timer holds 31 bits of milliseconds, and looking once an hour costs nothing. */
const longestTimerMs = hourMs

/**
 * Brings what is in the outbox to its contacts: stored bytes only, per contact in order, pipelined, for ever.
 *
 * Invariants:
 * 1. Nothing leaves that is not on disk, and a repeat is the very same bytes, unless a repair has put others in their place.
 * 2. A row is in at most one of `queue`, `again`, `inFlight` and `due`. Memory is only a schedule: the rows are read again each time.
 * 3. An attempt that `reroute` gave up on may still succeed, and that is recorded; but it schedules nothing any more.
 * 4. A row with a message goes when its receipt came, a control row when somebody has it; nothing else removes rows.
 */
export interface Outbox {
  /** These rows have just been committed. */
  offer(contact: string, numbers: readonly number[]): void
  /** Takes up everything that is stored; once, when the network is there. */
  resume(): Promise<void>
  /** The network, or this contact's part of it, is back: do not wait any longer. */
  wake(contact?: string): void
  /** The contact lives elsewhere now: what is under way to where it lived, which may be dead and silent, is offered anew. */
  reroute(contact: string): void
}

interface Traffic {
  /** Rows that nobody has taken yet, in sending order. */
  readonly queue: number[]
  /** Rows to be offered again: only when no fresh one waits, so that a long absence never delays what is written now. */
  readonly again: number[]
  /** By row, the batch of the attempt that counts. */
  readonly inFlight: Map<number, number>
  readonly due: Map<number, number>
  attempt: number
  filling: boolean
  /** Cancels the pause after a failure. */
  resting: (() => void) | undefined
}

interface Settled {
  readonly batch: number
  readonly row: OutboxRow
  readonly result: NetworkResult<SendPath>
}

const isSame = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a !== undefined && b !== undefined && equalBytes(a, b)

/** One step for everything that was answered meanwhile. */
const recordStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  settled: readonly Settled[],
): Promise<Map<OutboxRow, number>> => {
  const due = new Map<OutboxRow, number>()
  await Promise.all(settled.map(({ row }) => tx.get(outboxTable, [row.contactId, row.number])))
  for (const { row, result } of settled) {
    const stored = await tx.get(outboxTable, [row.contactId, row.number])
    if (!stored) continue
    if (!isSame(stored.envelope, row.envelope)) {
      // Encrypted anew while the old bytes were on their way: the new ones are offered at once.
      due.set(row, core.now())
      continue
    }
    if (result.ok && !stored.messageId) {
      tx.delete(outboxTable, [row.contactId, row.number])
      continue
    }
    if (!result.ok && result.reason !== 'refused') continue
    const offers = stored.offers + 1
    // What a relay will not take at all gets the longest pause: its reasons may change, and the row must not be lost.
    const attempt = result.ok ? offers - 1 : 30
    const dueAtMs = core.now() + backOff(core.random, attempt, core.pace.offerAgainMs)
    due.set(row, dueAtMs)
    tx.put(outboxTable, { ...stored, sent: stored.sent || result.ok, offers, dueAtMs })
    if (!result.ok) await writeDiagnostic(tx, core, 'relay', 'refused', 'a relay refused an envelope')
    else if (stored.messageId) {
      await raiseStatus(tx, effects, {
        conversationId: row.conversationId,
        messageId: stored.messageId,
        status: 'sent',
      })
    }
  }
  return due
}

/** How a row leaves. */
interface Leaving {
  readonly row: OutboxRow
  readonly route: PeerRoute
}

/**
 * Which rows may go through mailboxes that nobody has answered from: their lanes are an invite's. What tells our own lanes is
 * among them, however much waits before it.
 */
const throughUnproven = async (
  tx: ReadTransaction,
  { contactId, unprovenRow }: ContactRow,
): Promise<ReadonlySet<number>> => {
  if (unprovenRow === undefined) return new Set()
  const first = await tx.list(outboxTable, { prefix: [contactId], limit: inviteLaneRows - 1 })
  return new Set([...first.map((row) => row.number), unprovenRow])
}

/** How the rows of one contact stand; a step of its own, so that routes and rows belong together. */
const readBatch = (core: Core, contact: string, numbers: readonly number[]): Promise<Leaving[]> =>
  core.store.read(async (tx) => {
    const contactId = fromHex(contact)
    const row = await tx.get(contactTable, [contactId])
    const route = row && routeOf(row)
    if (!route) return []
    const unproven = await throughUnproven(tx, row)
    const proven = { ...route, mailboxes: route.mailboxes.filter((mailbox) => !mailbox.unproven) }
    const leaving: Leaving[] = []
    for (const found of await Promise.all(numbers.map((number) => tx.get(outboxTable, [contactId, number])))) {
      // Rows beyond the invite's allowance are offered again when the contact's own lanes arrive.
      if (!found?.envelope || (row.inviteLanes && found.number > inviteLaneRows)) continue
      leaving.push({ row: found, route: unproven.has(found.number) ? route : proven })
    }
    return leaving
  })

/** Adds numbers that are not on their way already, keeping the list in order. */
const enqueue = (traffic: Traffic, numbers: readonly number[], list: 'queue' | 'again'): void => {
  const known = new Set([...traffic.queue, ...traffic.again, ...traffic.inFlight.keys()])
  const fresh = numbers.filter((number) => !known.has(number))
  for (const number of fresh) traffic.due.delete(number)
  const target = traffic[list]
  const last = target.at(-1)
  const sorted = last === undefined || (fresh[0] ?? 0) > last
  target.push(...fresh)
  if (!sorted) target.sort((a, b) => a - b)
}

/** The next numbers to offer: fresh ones first. */
const takeNext = ({ queue, again }: Traffic, room: number): number[] => {
  const fresh = queue.splice(0, room)
  return [...fresh, ...again.splice(0, room - fresh.length)]
}

const offline = (message: string): NetworkResult<SendPath> => ({ ok: false, reason: 'offline', message })

class StoredOutbox implements Outbox {
  readonly #core: Core
  readonly #contacts = new Map<string, Traffic>()
  readonly #settled: Settled[] = []
  #recording = false
  #batches = 0
  #cancelDue: (() => void) | undefined

  constructor(core: Core) {
    this.#core = core
  }

  offer(contact: string, numbers: readonly number[]): void {
    const traffic = this.#traffic(contact)
    enqueue(traffic, numbers, 'queue')
    void this.#fill(contact, traffic)
  }

  async resume(): Promise<void> {
    const rows = await this.#core.store.read((tx) => tx.list(outboxTable))
    for (const [contact, own] of Map.groupBy(rows, (row) => toHex(row.contactId))) {
      const traffic = this.#traffic(contact)
      for (const row of own) if (row.sent) traffic.due.set(row.number, row.dueAtMs)
      this.offer(
        contact,
        own.filter((row) => !row.sent).map((row) => row.number),
      )
    }
    this.#scheduleDue()
  }

  wake(only?: string): void {
    for (const [contact, traffic] of this.#contacts) {
      if (only !== undefined && contact !== only) continue
      traffic.resting?.()
      traffic.resting = undefined
      traffic.attempt = 0
      void this.#fill(contact, traffic)
    }
  }

  reroute(contact: string): void {
    const traffic = this.#traffic(contact)
    const numbers = [...traffic.inFlight.keys()]
    traffic.inFlight.clear()
    enqueue(traffic, numbers, 'queue')
    this.wake(contact)
  }

  #traffic(contact: string): Traffic {
    let traffic = this.#contacts.get(contact)
    if (!traffic) {
      traffic = {
        queue: [],
        again: [],
        inFlight: new Map(),
        due: new Map(),
        attempt: 0,
        filling: false,
        resting: undefined,
      }
      this.#contacts.set(contact, traffic)
    }
    return traffic
  }

  async #fill(contact: string, traffic: Traffic): Promise<void> {
    if (traffic.filling || traffic.resting || this.#core.timers.closed || !this.#core.network()) return
    traffic.filling = true
    try {
      while (traffic.inFlight.size < maxInFlight && !traffic.resting) {
        const numbers = takeNext(traffic, maxInFlight - traffic.inFlight.size)
        if (numbers.length === 0) break
        await this.#transmitBatch(contact, traffic, numbers)
      }
    } catch (cause) {
      this.#core.report(cause)
    } finally {
      traffic.filling = false
    }
  }

  async #transmitBatch(contact: string, traffic: Traffic, numbers: readonly number[]): Promise<void> {
    const { inFlight } = traffic
    const batch = ++this.#batches
    for (const number of numbers) inFlight.set(number, batch)
    const end = (number: number): boolean => inFlight.get(number) === batch && inFlight.delete(number)
    let leaving: Leaving[]
    try {
      leaving = await readBatch(this.#core, contact, numbers)
    } catch (cause) {
      for (const number of numbers) end(number)
      enqueue(traffic, numbers, 'queue')
      this.#rest(contact, traffic, this.#core.pace.retryMs[1])
      throw cause
    }
    const sendable = new Set(leaving.map(({ row }) => row.number))
    for (const number of numbers) if (!sendable.has(number)) end(number)
    // What was given up on meanwhile leaves by the next batch, which knows the new way.
    for (const one of leaving) if (inFlight.get(one.row.number) === batch) void this.#transmit(one, batch)
  }

  async #transmit({ route, row }: Leaving, batch: number): Promise<void> {
    const network = this.#core.network()
    let result = offline('there is no network yet')
    try {
      if (network && row.envelope) result = await network.send(route, row.envelope)
    } catch {
      // The page's end of the network is gone or failed: the same as being offline.
      result = offline('the network did not answer')
    }
    this.#settled.push({ batch, row, result })
    if (this.#recording) return
    this.#recording = true
    // What comes within a moment is recorded together, and what was receipted by then needs no record at all.
    this.#core.timers.after(this.#core.pace.recordMs, () => void this.#record())
  }

  async #record(): Promise<void> {
    while (this.#settled.length > 0) {
      const batch = this.#settled.splice(0, maxRecorded)
      let due = new Map<OutboxRow, number>()
      try {
        due = await this.#core.commit((tx, effects) => recordStep(tx, this.#core, effects, batch))
      } catch (cause) {
        this.#core.report(cause)
        // Not recorded: the rows are as they were, and are offered again.
        for (const { row } of batch) due.set(row, this.#core.now() + this.#core.pace.retryMs[1])
      }
      for (const one of batch) this.#settle(due, one)
    }
    this.#recording = false
    this.#scheduleDue()
  }

  #settle(due: ReadonlyMap<OutboxRow, number>, { batch, row, result }: Settled): void {
    const contact = toHex(row.contactId)
    const traffic = this.#traffic(contact)
    if (traffic.inFlight.get(row.number) !== batch) return
    traffic.inFlight.delete(row.number)
    const dueAtMs = due.get(row)
    if (dueAtMs !== undefined) traffic.due.set(row.number, dueAtMs)
    this.#core.presence.sending.set(contact, result.ok ? undefined : result.reason)
    if (result.ok) traffic.attempt = 0
    else if (result.reason !== 'refused') {
      if (dueAtMs === undefined) enqueue(traffic, [row.number], row.sent ? 'again' : 'queue')
      const { random, pace } = this.#core
      const delayMs = Math.max(result.retryAfterMs ?? 0, backOff(random, traffic.attempt, pace.retryMs))
      if (!traffic.resting) traffic.attempt++
      this.#rest(contact, traffic, delayMs)
    }
    void this.#fill(contact, traffic)
  }

  #rest(contact: string, traffic: Traffic, delayMs: number): void {
    traffic.resting ??= this.#core.timers.after(delayMs, () => {
      traffic.resting = undefined
      void this.#fill(contact, traffic)
    })
  }

  /** One timer for the earliest row that is to be offered again. */
  #scheduleDue(): void {
    this.#cancelDue?.()
    const { now, timers, pace } = this.#core
    const leftMs = (at: number): number => untilMs(now(), at, pace.offerAgainMs[1])
    let earliest = Number.POSITIVE_INFINITY
    for (const { due } of this.#contacts.values())
      for (const at of due.values()) earliest = Math.min(earliest, leftMs(at))
    if (earliest === Number.POSITIVE_INFINITY) return
    this.#cancelDue = timers.after(Math.min(earliest, longestTimerMs), () => {
      for (const [contact, traffic] of this.#contacts) {
        const due = [...traffic.due].filter(([, at]) => leftMs(at) === 0).map(([number]) => number)
        enqueue(traffic, due, 'again')
        void this.#fill(contact, traffic)
      }
      this.#scheduleDue()
    })
  }
}

export const createOutbox = (core: Core): Outbox => new StoredOutbox(core)
