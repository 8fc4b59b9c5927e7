import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import type { NetworkResult, PeerRoute, SendPath } from '../../signaling/network.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { contactTable } from '../store/records/contact.ts'
import { outboxTable, type OutboxRow } from '../store/records/outbox.ts'
import { routeOf } from './contacts.ts'
import { raiseStatus } from './conversations.ts'
import type { Core } from './core.ts'
import { writeDiagnostic } from './diagnostics.ts'
import type { Effects } from './effects.ts'
import { backOff } from './timers.ts'

/** 32 envelopes under way per contact: fills a link of 100 ms round trip at 300 messages a second. */
const maxInFlight = 32

/** 16 of the 20 an invite's lane takes: the rest waits for lanes of our own, instead of being dropped without a word. */
const inviteLaneRows = 16

/**
 * Brings what is in the outbox to its contacts: stored bytes only, per contact in order, pipelined, for ever.
 *
 * Invariants:
 * 1. Nothing leaves that is not on disk, and a repeat is the very same bytes.
 * 2. A row is in at most one of `queue`, `inFlight` and `due`. Memory is only a schedule: the rows are read again each time.
 * 3. A row with a message goes when its receipt came, a control row when somebody has it; nothing else removes rows.
 */
export interface Outbox {
  /** These rows have just been committed. */
  offer(contact: string, numbers: readonly number[]): void
  /** Takes up everything that is stored; once, when the network is there. */
  resume(): Promise<void>
  /** The network, or this contact's part of it, is back: do not wait any longer. */
  wake(contact?: string): void
}

interface Traffic {
  queue: number[]
  readonly inFlight: Set<number>
  readonly due: Map<number, number>
  attempt: number
  filling: boolean
  /** Cancels the pause after a failure. */
  resting: (() => void) | undefined
}

interface Settled {
  readonly row: OutboxRow
  readonly result: NetworkResult<SendPath>
}

/** One step for everything that was answered meanwhile. */
const recordStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  settled: readonly Settled[],
): Promise<Map<OutboxRow, number>> => {
  const due = new Map<OutboxRow, number>()
  for (const { row, result } of settled) {
    const stored = await tx.get(outboxTable, [row.contactId, row.number])
    if (!stored) continue
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

export const createOutbox = (core: Core): Outbox => {
  const contacts = new Map<string, Traffic>()
  const settled: Settled[] = []
  let recording = false
  let cancelDue: (() => void) | undefined

  const trafficOf = (contact: string): Traffic => {
    let traffic = contacts.get(contact)
    if (!traffic) {
      traffic = { queue: [], inFlight: new Set(), due: new Map(), attempt: 0, filling: false, resting: undefined }
      contacts.set(contact, traffic)
    }
    return traffic
  }

  const enqueue = (traffic: Traffic, numbers: readonly number[]): void => {
    const fresh = numbers.filter((number) => !traffic.inFlight.has(number) && !traffic.queue.includes(number))
    for (const number of fresh) traffic.due.delete(number)
    const last = traffic.queue.at(-1)
    const sorted = last === undefined || (fresh[0] ?? 0) > last
    traffic.queue.push(...fresh)
    if (!sorted) traffic.queue.sort((a, b) => a - b)
  }

  const rest = (contact: string, traffic: Traffic, delayMs: number): void => {
    traffic.resting ??= core.timers.after(delayMs, () => {
      traffic.resting = undefined
      void fill(contact, traffic)
    })
  }

  const readBatch = (
    contact: string,
    numbers: readonly number[],
  ): Promise<{ route: PeerRoute | undefined; rows: OutboxRow[] }> =>
    core.store.read(async (tx) => {
      const contactId = fromHex(contact)
      const row = await tx.get(contactTable, [contactId])
      const route = row && routeOf(row)
      const rows: OutboxRow[] = []
      for (const number of numbers) {
        const found = await tx.get(outboxTable, [contactId, number])
        // Rows beyond the invite's allowance are offered again when the contact's own lanes arrive.
        if (found?.envelope && !(row?.inviteLanes && number > inviteLaneRows)) rows.push(found)
      }
      return { route, rows }
    })

  const transmit = async (route: PeerRoute, row: OutboxRow): Promise<void> => {
    let result: NetworkResult<SendPath>
    try {
      const network = core.network()
      result =
        network && row.envelope
          ? await network.send(route, row.envelope)
          : { ok: false, reason: 'offline', message: 'there is no network yet' }
    } catch {
      // The page's end of the network is gone or failed: the same as being offline.
      result = { ok: false, reason: 'offline', message: 'the network did not answer' }
    }
    settled.push({ row, result })
    if (!recording) await record()
  }

  const fill = async (contact: string, traffic: Traffic): Promise<void> => {
    if (traffic.filling || traffic.resting || core.timers.closed || !core.network()) return
    traffic.filling = true
    try {
      while (traffic.queue.length > 0 && traffic.inFlight.size < maxInFlight && !traffic.resting) {
        const numbers = traffic.queue.splice(0, maxInFlight - traffic.inFlight.size)
        for (const number of numbers) traffic.inFlight.add(number)
        const { route, rows } = await readBatch(contact, numbers)
        const sendable = new Set(route ? rows.map((row) => row.number) : [])
        for (const number of numbers) if (!sendable.has(number)) traffic.inFlight.delete(number)
        if (route) for (const row of rows) void transmit(route, row)
      }
    } catch (cause) {
      core.report(cause)
    } finally {
      traffic.filling = false
    }
  }

  const settle = (due: ReadonlyMap<OutboxRow, number>, { row, result }: Settled): void => {
    const contact = toHex(row.contactId)
    const traffic = trafficOf(contact)
    traffic.inFlight.delete(row.number)
    const dueAtMs = due.get(row)
    if (dueAtMs !== undefined) traffic.due.set(row.number, dueAtMs)
    if (result.ok) traffic.attempt = 0
    else if (result.reason !== 'refused') {
      enqueue(traffic, [row.number])
      const delayMs = Math.max(result.retryAfterMs ?? 0, backOff(core.random, traffic.attempt, core.pace.retryMs))
      if (!traffic.resting) traffic.attempt++
      rest(contact, traffic, delayMs)
    }
    void fill(contact, traffic)
  }

  const record = async (): Promise<void> => {
    recording = true
    while (settled.length > 0) {
      const batch = settled.splice(0, 50)
      let due = new Map<OutboxRow, number>()
      try {
        due = await core.commit((tx, effects) => recordStep(tx, core, effects, batch))
      } catch (cause) {
        core.report(cause)
        // Not recorded: the rows are as they were, and are offered again.
        for (const { row } of batch) due.set(row, core.now() + core.pace.retryMs[1])
      }
      for (const one of batch) settle(due, one)
    }
    recording = false
    scheduleDue()
  }

  /** One timer for the earliest row that is to be offered again. */
  const scheduleDue = (): void => {
    cancelDue?.()
    let earliest = Number.POSITIVE_INFINITY
    for (const { due } of contacts.values()) for (const at of due.values()) earliest = Math.min(earliest, at)
    if (earliest === Number.POSITIVE_INFINITY) return
    // A timer holds 31 bits; an hour is often enough to look.
    cancelDue = core.timers.after(Math.min(Math.max(0, earliest - core.now()), 3_600_000), () => {
      for (const [contact, traffic] of contacts) {
        const numbers = [...traffic.due].filter(([, at]) => at <= core.now()).map(([number]) => number)
        enqueue(traffic, numbers)
        void fill(contact, traffic)
      }
      scheduleDue()
    })
  }

  return {
    offer: (contact, numbers) => {
      const traffic = trafficOf(contact)
      enqueue(traffic, numbers)
      void fill(contact, traffic)
    },
    resume: async () => {
      const rows = await core.store.read((tx) => tx.list(outboxTable))
      for (const [contact, own] of Map.groupBy(rows, (row) => toHex(row.contactId))) {
        const traffic = trafficOf(contact)
        const later = own.filter((row) => row.sent && row.dueAtMs > core.now())
        for (const row of later) traffic.due.set(row.number, row.dueAtMs)
        enqueue(
          traffic,
          own.filter((row) => !later.includes(row)).map((row) => row.number),
        )
        void fill(contact, traffic)
      }
      scheduleDue()
    },
    wake: (only) => {
      for (const [contact, traffic] of contacts) {
        if (only !== undefined && contact !== only) continue
        traffic.resting?.()
        traffic.resting = undefined
        traffic.attempt = 0
        void fill(contact, traffic)
      }
    },
  }
}
