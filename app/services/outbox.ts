import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import { hourMs } from '../../protocol/wire/limits.ts'
import type { NetworkResult, PeerRoute, SendPath } from '../../signaling/network.ts'
import type { ReadTransaction, WriteTransaction } from '../store/client-store.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { outboxTable, type OutboxRow } from '../store/records/outbox.ts'
import { routeOf } from './contacts.ts'
import type { Core } from './core.ts'
import { advance, type NextOffer } from './delivery.ts'
import { longestPauseMs, stageOf, type DeliveryEvent } from './delivery-state.ts'
import type { Effects } from './effects.ts'
import {
  comeDue,
  depart,
  emptySchedule,
  enqueue,
  forget,
  land,
  postpone,
  recall,
  untilDue,
  type Schedule,
} from './outbox-schedule.ts'
import { backOff } from './timers.ts'

/**
 * 128 envelopes under way per contact: 64 on the link, as many as it takes, and as many whose answer is not written down yet, since
 * that waits for receipts in a flood.
 */
const maxInFlight = 128

/** 16 of the 20 an invite's lane takes: the rest waits for lanes of our own, instead of being dropped without a word. */
export const inviteLaneRows = 16

/** 50 answers per recording step, as with every other step. */
const maxRecorded = 50

/** An hour: a timer holds 31 bits of milliseconds, and looking once an hour costs nothing. */
const longestTimerMs = hourMs

/**
 * Brings what is in the outbox to its contacts: stored bytes only, per contact in order, pipelined, for ever. What an answer
 * means for a row is decided in `delivery-state.ts`.
 *
 * Invariants:
 * 1. Nothing leaves that is not on disk, and a repeat is the very same bytes, unless a repair has put others in their place.
 * 2. Memory is only a schedule (`outbox-schedule.ts`): the rows are read again each time.
 * 3. An attempt that `reroute` gave up on may still succeed, and that is recorded; but it schedules nothing any more.
 */
export interface Outbox {
  /** These rows have just been committed, or are not to wait any longer. */
  offer(contact: string, numbers: readonly number[]): void
  /** These rows are gone. */
  forget(contact: string, numbers: readonly number[]): void
  /** Takes up everything that is stored; once, when the network is there. */
  resume(): Promise<void>
  /** The network, or this contact's part of it, is back: do not wait any longer. */
  wake(contact?: string): void
  /** The contact lives elsewhere now: what is under way to where it lived, which may be dead and silent, is offered anew. */
  reroute(contact: string): void
}

interface Traffic extends Schedule {
  attempt: number
  filling: boolean
  /** Cancels the pause after a failure. */
  resting: (() => void) | undefined
}

/** A row as it stood when it left. */
type Sealed = OutboxRow & { readonly envelope: Uint8Array }

interface Settled {
  readonly batch: number
  readonly row: Sealed
  readonly result: NetworkResult<SendPath>
}

const eventOf = (
  { envelope }: { envelope: Uint8Array },
  result: NetworkResult<SendPath>,
): DeliveryEvent & { kind: 'taken' | 'refused' | 'unanswered' } => ({
  kind: result.ok ? 'taken' : result.reason === 'refused' ? 'refused' : 'unanswered',
  envelope,
})

/** One step for everything that was answered meanwhile. Gives when what is still there is offered again. */
const recordStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  settled: readonly Settled[],
): Promise<Map<Sealed, NextOffer>> => {
  const next = new Map<Sealed, NextOffer>()
  await Promise.all(settled.map(({ row }) => tx.get(outboxTable, [row.contactId, row.number])))
  for (const { row, result } of settled) {
    const stored = await tx.get(outboxTable, [row.contactId, row.number])
    const offer = stored && (await advance(tx, core, effects, stored, eventOf(row, result)))
    if (offer !== undefined) next.set(row, offer)
  }
  return next
}

/** How a row leaves. */
interface Leaving {
  readonly row: Sealed
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
      const { envelope } = found
      leaving.push({ row: { ...found, envelope }, route: unproven.has(found.number) ? route : proven })
    }
    return leaving
  })

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

  forget(contact: string, numbers: readonly number[]): void {
    forget(this.#traffic(contact), numbers)
  }

  async resume(): Promise<void> {
    const rows = await this.#core.store.read((tx) => tx.list(outboxTable))
    for (const [contact, own] of Map.groupBy(rows, (row) => toHex(row.contactId))) {
      const traffic = this.#traffic(contact)
      const [taken = [], others = []] = [true, false].map((is) =>
        own.filter((row) => (stageOf(row) === 'taken') === is),
      )
      postpone(
        traffic,
        taken.map((row) => [row.number, { atMs: row.dueAtMs, pauseMs: longestPauseMs(row, this.#core.pace) }]),
      )
      this.offer(
        contact,
        others.map((row) => row.number),
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
    recall(traffic)
    this.wake(contact)
  }

  #traffic(contact: string): Traffic {
    let traffic = this.#contacts.get(contact)
    if (!traffic) {
      traffic = { ...emptySchedule(), attempt: 0, filling: false, resting: undefined }
      this.#contacts.set(contact, traffic)
    }
    return traffic
  }

  async #fill(contact: string, traffic: Traffic): Promise<void> {
    if (traffic.filling || traffic.resting || this.#core.timers.closed || !this.#core.network()) return
    traffic.filling = true
    try {
      while (traffic.inFlight.size < maxInFlight && !traffic.resting) {
        const batch = ++this.#batches
        const numbers = depart(traffic, maxInFlight - traffic.inFlight.size, batch)
        if (numbers.length === 0) break
        await this.#transmitBatch(contact, traffic, numbers, batch)
      }
    } catch (cause) {
      this.#core.report(cause)
    } finally {
      traffic.filling = false
    }
  }

  async #transmitBatch(contact: string, traffic: Traffic, numbers: readonly number[], batch: number): Promise<void> {
    let leaving: Leaving[]
    try {
      leaving = await readBatch(this.#core, contact, numbers)
    } catch (cause) {
      for (const number of numbers) land(traffic, number, batch)
      enqueue(traffic, numbers, 'queue')
      this.#rest(contact, traffic, this.#core.pace.retryMs[1])
      throw cause
    }
    const sendable = new Set(leaving.map(({ row }) => row.number))
    for (const number of numbers) if (!sendable.has(number)) land(traffic, number, batch)
    // What was given up on meanwhile leaves by the next batch, which knows the new way.
    for (const one of leaving) if (traffic.inFlight.get(one.row.number) === batch) void this.#transmit(one, batch)
  }

  async #transmit({ route, row }: Leaving, batch: number): Promise<void> {
    const network = this.#core.network()
    let result = offline('there is no network yet')
    try {
      if (network) result = await network.send(route, row.envelope)
    } catch {
      // The page's end of the network is gone or failed: the same as being offline.
      result = offline('the network did not answer')
    }
    this.#settled.push({ batch, row, result })
    if (this.#recording) return
    this.#recording = true
    const { pace, presence, timers } = this.#core
    const [usually, inFlood] = pace.recordMs
    const contact = toHex(row.contactId)
    // By mailbox receipts come much later than any of this: there is nothing to wait for.
    const inFull = this.#traffic(contact).inFlight.size >= maxInFlight / 2 && presence.path(contact) === 'direct'
    // What comes within a moment is recorded together, and what was receipted by then needs no record at all.
    timers.after(inFull ? inFlood : usually, () => void this.#record())
  }

  async #record(): Promise<void> {
    while (this.#settled.length > 0) {
      const batch = this.#settled.splice(0, maxRecorded)
      let next = new Map<Sealed, NextOffer>()
      try {
        next = await this.#core.commit((tx, effects) => recordStep(tx, this.#core, effects, batch))
      } catch (cause) {
        this.#core.report(cause)
        // Not recorded: the rows are as they were, and are offered again.
        for (const { row } of batch) next.set(row, this.#core.now() + this.#core.pace.retryMs[1])
      }
      for (const one of batch) this.#settle(one, next.get(one.row))
    }
    this.#recording = false
    this.#scheduleDue()
  }

  #settle({ batch, row, result }: Settled, next: NextOffer | undefined): void {
    const contact = toHex(row.contactId)
    const traffic = this.#traffic(contact)
    if (!land(traffic, row.number, batch)) return
    if (next === 'after-pause') enqueue(traffic, [row.number], stageOf(row) === 'taken' ? 'again' : 'queue')
    else if (next !== undefined) {
      const { now, pace } = this.#core
      // The clock may have been put back since the step.
      const pauseMs = Math.min(next - now(), pace.offerAgainMs[1])
      postpone(traffic, [[row.number, { atMs: next, pauseMs }]])
    }
    this.#core.presence.sending.set(contact, result.ok ? undefined : result.reason)
    if (result.ok) traffic.attempt = 0
    else if (result.reason !== 'refused') {
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
    const { now, timers } = this.#core
    const leftMs = Math.min(...[...this.#contacts.values()].map((traffic) => untilDue(traffic, now())))
    if (leftMs === Number.POSITIVE_INFINITY) return
    this.#cancelDue = timers.after(Math.min(leftMs, longestTimerMs), () => {
      for (const [contact, traffic] of this.#contacts) {
        comeDue(traffic, now())
        void this.#fill(contact, traffic)
      }
      this.#scheduleDue()
    })
  }
}

export const createOutbox = (core: Core): Outbox => new StoredOutbox(core)
