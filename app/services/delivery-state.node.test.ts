import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dayMs, hourMs, minuteMs } from '../../protocol/wire/limits.ts'
import type { OutboxRow } from '../store/records/outbox.ts'
import {
  deliver,
  isRaise,
  longestPauseMs,
  stageOf,
  unsealedRow,
  type DeliveryEvent,
  type Step,
  type Surroundings,
} from './delivery-state.ts'
import { untilMs } from './timers.ts'

const pace = { offerAgainMs: [minuteMs, 6 * hourMs], overtakeMs: 5_000 } as const
const start = 1_000 * dayMs

/** Surroundings at a moment; `jitter` from 0 to 255 is the first byte of every random number. */
const at = (now: number, jitter = 255): Surroundings => ({
  now: () => now,
  random: (length) => new Uint8Array(length).fill(jitter),
  pace,
})

const bytes = (n: number): Uint8Array => new Uint8Array(8).fill(n)
const own = bytes(1)
const other = bytes(2)

const written = { contactId: bytes(9), number: 1, conversationId: bytes(8), createdAtMs: start - hourMs }
const unsealed = unsealedRow({ ...written, messageId: bytes(7) })
const sealed: OutboxRow = { ...unsealed, envelope: own }
const taken: OutboxRow = { ...sealed, sent: true, offers: 1, dueAtMs: start + minuteMs }
const control = unsealedRow(written)

const states = {
  unsealed,
  sealed,
  taken,
  'control unsealed': control,
  'control sealed': { ...control, envelope: own },
  gone: undefined,
} satisfies Record<string, OutboxRow | undefined>

const events = {
  session: { kind: 'session' },
  'asked for': { kind: 'asked-for' },
  renewed: { kind: 'renewed' },
  sealed: { kind: 'sealed', envelope: other },
  closed: { kind: 'closed' },
  taken: { kind: 'taken', envelope: own },
  'taken, other bytes': { kind: 'taken', envelope: other },
  refused: { kind: 'refused', envelope: own },
  'refused, other bytes': { kind: 'refused', envelope: other },
  unanswered: { kind: 'unanswered', envelope: own },
  'unanswered, other bytes': { kind: 'unanswered', envelope: other },
  gap: { kind: 'gap' },
  'lanes told': { kind: 'lanes-told' },
  hurried: { kind: 'hurried' },
  withdrawn: { kind: 'withdrawn' },
  receipt: { kind: 'receipt', status: 'delivered' },
} satisfies Record<string, DeliveryEvent>

/** What a step came to, in words. */
const told = ({ row, follows }: Step): string =>
  [row ? stageOf(row) : 'gone', ...follows.map((one) => (one.kind === 'raise' ? one.status : one.kind))].join(' ')

type Line = Record<keyof typeof states, string>
const same = {
  unsealed: 'unsealed',
  sealed: 'sealed',
  taken: 'taken',
  'control unsealed': 'unsealed',
  'control sealed': 'sealed',
  gone: 'gone',
}
const stale = {
  unsealed: 'unsealed due',
  sealed: 'sealed due',
  taken: 'taken due',
  'control unsealed': 'unsealed due',
  'control sealed': 'sealed due',
  gone: 'gone',
}

const table: Record<keyof typeof events, Line> = {
  session: { ...same, unsealed: 'unsealed seal', 'control unsealed': 'unsealed seal' },
  'asked for': { ...same, sealed: 'sealed seal', taken: 'taken seal' },
  renewed: { ...same, sealed: 'sealed seal', taken: 'taken seal' },
  sealed: {
    unsealed: 'sealed offer',
    sealed: 'sealed offer',
    taken: 'sealed offer',
    'control unsealed': 'sealed offer',
    'control sealed': 'sealed offer',
    gone: 'gone',
  },
  closed: { ...same, sealed: 'unsealed', taken: 'unsealed', 'control sealed': 'unsealed' },
  taken: { ...stale, sealed: 'taken due sent', taken: 'taken due sent', 'control sealed': 'gone forget' },
  'taken, other bytes': stale,
  refused: {
    ...stale,
    sealed: 'sealed due diagnose',
    taken: 'taken due diagnose',
    'control sealed': 'sealed due diagnose',
  },
  'refused, other bytes': stale,
  unanswered: { ...stale, sealed: 'sealed retry', taken: 'taken retry', 'control sealed': 'sealed retry' },
  'unanswered, other bytes': stale,
  withdrawn: { ...same, unsealed: 'gone forget', sealed: 'gone forget', taken: 'gone forget' },
  gap: { ...same, taken: 'taken offer' },
  'lanes told': { ...same, sealed: 'sealed offer', 'control sealed': 'sealed offer' },
  hurried: { ...same, sealed: 'sealed offer', taken: 'taken offer', 'control sealed': 'sealed offer' },
  receipt: {
    ...same,
    unsealed: 'gone forget delivered',
    sealed: 'gone forget delivered',
    taken: 'gone forget delivered',
    gone: 'gone forget delivered',
  },
}

test.each(Object.entries(table))('every state: %s', (name, line) => {
  const event = events[name as keyof typeof events]
  const found = Object.entries(states).map(([state, row]) => [state, told(deliver(row, event, at(start)))])
  expect(Object.fromEntries(found)).toEqual(line)
})

describe('pauses', () => {
  /** The pauses after so many takes in a row, each when the last is over. */
  const pauses = (times: number, jitter: number): number[] => {
    let row: OutboxRow | undefined = sealed
    let now = start
    return Array.from({ length: times }, () => {
      row = deliver(row, events.taken, at(now, jitter)).row
      const pause = (row?.dueAtMs ?? 0) - now
      now += pause
      return pause
    })
  }

  test('double with each time that nobody receipts, up to six hours, and never end', () => {
    const minutes = pauses(12, 255).map((ms) => Math.round(ms / minuteMs))
    expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360])
    expect(pauses(12, 0)[11]).toBe(3 * hourMs)
    expect(pauses(3_000, 255).at(-1)).toBeLessThanOrEqual(6 * hourMs)
  })

  test('are told from what a clock that was put back an hour has made of them', () => {
    const { row = sealed } = deliver(sealed, events.taken, at(start + hourMs, 255))
    expect(untilMs(start + hourMs, row.dueAtMs, longestPauseMs(row, pace))).toBeGreaterThan(50_000)
    expect(untilMs(start, row.dueAtMs, longestPauseMs(row, pace))).toBe(0)
  })

  test('are shortened for gaps three times at most, until it is sealed anew', () => {
    let now = start
    /** How many times a gap is offered, when each offer is taken and a gap seen 10 s later. */
    const offered = (from: OutboxRow): number => {
      let row: OutboxRow | undefined = from
      let times = 0
      for (let i = 0; i < 10; i++) {
        row = deliver(row, events.taken, at(now)).row
        now += 10_000
        const gap = deliver(row, events.gap, at(now))
        row = gap.row
        times += gap.follows.length
      }
      return times
    }
    expect(offered(sealed)).toBe(3)
    expect(offered(deliver({ ...taken, offers: 9 }, { kind: 'sealed', envelope: own }, at(now)).row ?? taken)).toBe(3)
  })

  test('are shortened for a gap only after a moment', () => {
    const young = { ...taken, createdAtMs: start - pace.overtakeMs }
    expect(told(deliver(young, events.gap, at(start)))).toBe('taken')
    const soon = { ...taken, dueAtMs: start + pace.overtakeMs }
    expect(told(deliver(soon, events.gap, at(start)))).toBe('taken')
  })
})

test('what is asked for is encrypted three times, and once more for each day since', () => {
  let row: OutboxRow = taken
  const ask = (now: number): boolean => {
    const step = deliver(row, events['asked for'], at(now))
    if (step.row) row = step.row
    return step.follows.length > 0
  }
  expect([0, 0, 0, 0].map(() => ask(start))).toEqual([true, true, true, false])
  expect([dayMs - 1, dayMs, dayMs, 4 * dayMs, 4 * dayMs, 4 * dayMs, 4 * dayMs].map((ms) => ask(start + ms))).toEqual([
    false,
    true,
    false,
    true,
    true,
    true,
    false,
  ])
  // A clock that was put back by a year does not stop it for a year.
  expect([0, 0, 0, 0].map(() => ask(start - 365 * dayMs))).toEqual([true, true, true, false])
  // Our own renewal begins the count again.
  row = deliver(row, events.renewed, at(start + 4 * dayMs)).row ?? row
  expect([0, 0, 0, 0].map(() => ask(start + 4 * dayMs))).toEqual([true, true, true, false])
})

test('statuses are in one order', () => {
  const order = ['waiting', 'sent', 'delivered', 'read'] as const
  for (const [i, before] of order.entries()) {
    for (const [j, after] of order.entries()) expect(isRaise(before, after)).toBe(j > i)
  }
})

/** A row that anything happens to, in any order, and the numbered invariants, checked after each event. */
class World {
  row: OutboxRow | undefined
  now = start
  status: 'waiting' | 'sent' | 'delivered' | 'read' = 'waiting'
  /** Something will offer the row's bytes. */
  scheduled = false
  seals = 0
  gapOffers = 0
  /** Renewals that were asked for since the last of our own, and when the first was. */
  asked: number[] = []
  readonly clockIsSteady: boolean

  constructor(isMessage: boolean, clockIsSteady: boolean) {
    this.row = { ...(isMessage ? unsealed : control), createdAtMs: start }
    this.clockIsSteady = clockIsSteady
  }

  happen(event: DeliveryEvent, jitter: number, canSeal: boolean): void {
    const before = this.row
    const step = deliver(before, event, at(this.now, jitter))
    const seals = step.follows.some(({ kind }) => kind === 'seal')
    // An encryption that fails leaves everything as it was.
    if (!seals) this.row = step.row
    this.#checkRow(before, step, event)
    for (const one of step.follows) this.#take(one, event)
    if (seals && canSeal) {
      this.row = step.row
      this.#countRenewal(event)
      this.happen({ kind: 'sealed', envelope: bytes(10 + (++this.seals % 200)) }, jitter, false)
    }
    if (this.row?.envelope) expect(this.scheduled, 'invariant 5: there is no last attempt').toBe(true)
  }

  #checkRow(before: OutboxRow | undefined, { row, follows }: Step, event: DeliveryEvent): void {
    if (before && !row) {
      const removers = before.messageId ? ['receipt', 'withdrawn'] : ['taken']
      expect(removers, 'invariant 2: what removes a row').toContain(event.kind)
    }
    if (before && row && row.envelope !== before.envelope) {
      expect(['sealed', 'closed'], 'invariant 3: what changes bytes').toContain(event.kind)
    }
    if (!before || !('envelope' in event) || event.kind === 'sealed') return
    this.scheduled = false
    const isOwn = before.envelope?.join() === event.envelope.join()
    if (!isOwn) {
      expect(row, 'invariant 4: what is said of other bytes').toBe(before)
      expect(follows).toEqual([{ kind: 'due', atMs: this.now }])
    } else if (row && event.kind !== 'unanswered') {
      expect(row.offers).toBe(before.offers + 1)
      expect(row.sent, 'invariant 1: what was taken stays so').toBe(before.sent || event.kind === 'taken')
      this.#checkPause(row, event.kind === 'refused')
    } else if (row) expect(row).toBe(before)
  }

  #checkPause({ dueAtMs, offers }: OutboxRow, refused: boolean): void {
    const [first, most] = pace.offerAgainMs
    const whole = refused ? most : Math.min(most, first * 2 ** (offers - 1))
    expect(dueAtMs - this.now, 'invariant 6: pause').toBeGreaterThanOrEqual(Math.floor(whole / 2))
    expect(dueAtMs - this.now, 'invariant 6: pause').toBeLessThanOrEqual(whole)
  }

  #take(one: Step['follows'][number], event: DeliveryEvent): void {
    if (one.kind === 'due') expect(one.atMs, 'not in the past').toBeGreaterThanOrEqual(this.now)
    if (one.kind === 'due' || one.kind === 'offer' || one.kind === 'retry') this.scheduled = true
    if (one.kind === 'offer' && event.kind === 'gap' && this.clockIsSteady) {
      expect(++this.gapOffers, 'invariant 7: gaps').toBeLessThanOrEqual(3)
    }
    if (event.kind === 'sealed') this.gapOffers = 0
    if (one.kind !== 'raise') return
    expect(one.status, 'invariant 1: what raises').toBe(event.kind === 'receipt' ? event.status : 'sent')
    if (one.status === 'sent') expect(this.row && stageOf(this.row)).toBe('taken')
    if (isRaise(this.status, one.status)) this.status = one.status
  }

  #countRenewal({ kind }: DeliveryEvent): void {
    if (kind === 'renewed') this.asked = []
    if (kind !== 'asked-for') return
    this.asked.push(this.now)
    const days = Math.floor((this.now - (this.asked[0] ?? 0)) / dayMs)
    if (this.clockIsSteady) expect(this.asked.length, 'invariant 8: renewals').toBeLessThanOrEqual(3 + days)
  }
}

const what = fc.constantFrom(
  ...(Object.keys(events) as (keyof typeof events)[]).filter(
    (name) => !['sealed', 'receipt', 'withdrawn'].includes(name),
  ),
)

/** How often a row is receipted or withdrawn decides how long it lives: most runs are without. */
const happening = fc.record({
  name: fc.oneof(
    { weight: 200, arbitrary: what },
    { weight: 1, arbitrary: fc.constantFrom('receipt' as const, 'withdrawn' as const) },
  ),
  passedMs: fc.oneof(fc.nat(10_000), fc.nat(hourMs), fc.nat(2 * dayMs), fc.integer({ min: -400 * dayMs, max: 0 })),
  jitter: fc.nat(255),
  canSeal: fc.boolean(),
  read: fc.boolean(),
})

test('whatever happens in whatever order, the invariants hold', () => {
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.boolean(),
      fc.array(happening, { minLength: 1, maxLength: 200, size: 'max' }),
      (isMessage, clockIsSteady, happenings) => {
        const world = new World(isMessage, clockIsSteady)
        for (const { name, passedMs, jitter, canSeal, read } of happenings) {
          world.now += clockIsSteady ? Math.max(0, passedMs) : passedMs
          const event: DeliveryEvent = events[name]
          const isAnswer = 'envelope' in event && !name.includes('other')
          if (name === 'receipt')
            world.happen({ kind: 'receipt', status: read ? 'read' : 'delivered' }, jitter, canSeal)
          else if (isAnswer) world.happen({ ...event, envelope: world.row?.envelope ?? own }, jitter, canSeal)
          else world.happen(event, jitter, canSeal)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('no other file writes or removes an outbox row', () => {
  const sources = import.meta.glob<string>(['./*.ts', '!./*.{test,fixture,bench}.ts'], {
    query: '?raw',
    import: 'default',
    eager: true,
  })
  const writing = Object.entries(sources).filter(([, source]) => /\.(put|delete)\(\s*outboxTable/.test(source))
  expect(writing.map(([name]) => name)).toEqual(['./delivery.ts'])
})
