/**
 * Which faults happen when: pure, from a seed, so that a run can be had again. The time of a fault is a share of the messages
 * written so far, because no two runs are equally fast; what it lasts is in milliseconds.
 */

export type Fault = {
  /** From 0 to 1: starts when this share of all messages has been acknowledged. */
  readonly at: number
  /** Milliseconds until the opposite happens: start again, thaw, restore. */
  readonly lastsMs: number
} & (
  | { readonly kind: 'relay-kill' | 'relay-freeze'; readonly relay: number }
  | { readonly kind: 'engine-kill' | 'engine-freeze'; readonly account: number }
  | { readonly kind: 'browser-kill' | 'browser-freeze'; readonly account: number }
  /** Every connection of an account's way to its relay is reset, and new ones are refused. */
  | { readonly kind: 'cut'; readonly account: number }
  /** Connections stay open and carry nothing any more, and so do new ones. */
  | { readonly kind: 'half-open'; readonly account: number }
  /** Everything trickles. */
  | { readonly kind: 'slow'; readonly account: number; readonly bytesPerSecond: number }
  | { readonly kind: 'delay'; readonly account: number; readonly delayMs: number }
  /** The engine's clock is a day ahead or behind, and then right again. */
  | { readonly kind: 'clock'; readonly account: number; readonly offsetMs: number }
)

export type FaultKind = Fault['kind']

export interface ScheduleOptions {
  readonly relays: number
  /** Accounts 0 to `engines` - 1 are engines, the browsers come after them. */
  readonly engines: number
  readonly browsers: number
  readonly relayKills: number
  /** Kills of engines and browsers together; browsers get their part by number. */
  readonly engineKills: number
  /** Cuts, and as many again of the other troubles of networks together. */
  readonly cuts: number
}

/** A repeatable source of numbers in [0, 1): mulberry32. */
export const seeded = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const dayMs = 86_400_000

/** Milliseconds, at least and at most. Pings of links and relays find a dead one within 20 s: freezes end on both sides of that. */
const lasts: Readonly<Record<FaultKind, readonly [least: number, most: number]>> = {
  'relay-kill': [0, 3_000],
  'relay-freeze': [500, 8_000],
  'engine-kill': [0, 2_000],
  'engine-freeze': [500, 8_000],
  'browser-kill': [0, 2_000],
  'browser-freeze': [500, 8_000],
  cut: [0, 5_000],
  'half-open': [2_000, 25_000],
  slow: [2_000, 10_000],
  delay: [2_000, 10_000],
  clock: [2_000, 20_000],
}

/** 4 to 64 KB a second: from one small envelope at a time to a bad mobile connection. */
const slowest = 4_000
const leastSlow = 64_000

const delays: readonly [number, number] = [50, 1_500]

/** Kinds in the order of `cuts`: every second trouble is a cut, the others take turns. */
const otherTroubles = [
  'half-open',
  'slow',
  'delay',
  'clock',
  'engine-freeze',
  'relay-freeze',
  'browser-freeze',
] as const

/** The same seed and options give the same faults, in order of time. Kinds without a target are left out. */
export const makeSchedule = (seed: number, options: ScheduleOptions): Fault[] => {
  const chance = seeded(seed)
  const between = (least: number, most: number): number => Math.round(least + chance() * (most - least))
  const one = (count: number, first = 0): number => first + Math.min(count - 1, Math.floor(chance() * count))
  const { relays, engines, browsers } = options

  const make = (kind: FaultKind): Fault => {
    // Not in the very last part: what happens after the last message is waited for, but not watched being written.
    const common = { at: chance() * 0.98, lastsMs: between(...lasts[kind]) }
    switch (kind) {
      case 'relay-kill':
      case 'relay-freeze':
        return { ...common, kind, relay: one(relays) }
      case 'browser-kill':
      case 'browser-freeze':
        return { ...common, kind, account: one(browsers, engines) }
      case 'slow':
        return { ...common, kind, account: one(engines), bytesPerSecond: between(slowest, leastSlow) }
      case 'delay':
        return { ...common, kind, account: one(engines), delayMs: between(...delays) }
      case 'clock':
        return { ...common, kind, account: one(engines), offsetMs: chance() < 0.5 ? dayMs : -dayMs }
      case 'engine-kill':
      case 'engine-freeze':
      case 'cut':
      case 'half-open':
        return { ...common, kind, account: one(engines) }
    }
  }
  const hasTarget = (kind: FaultKind): boolean =>
    kind.startsWith('relay') ? relays > 0 : kind.startsWith('browser') ? browsers > 0 : engines > 0
  const kinds: FaultKind[] = [
    ...Array.from({ length: options.relayKills }, () => 'relay-kill' as const),
    ...Array.from({ length: options.engineKills }, () =>
      chance() < browsers / Math.max(1, engines + browsers) ? ('browser-kill' as const) : ('engine-kill' as const),
    ),
    ...Array.from({ length: options.cuts }, () => 'cut' as const),
    ...Array.from({ length: options.cuts }, (_, i) => otherTroubles[i % otherTroubles.length] ?? 'half-open'),
  ]
  return kinds
    .filter(hasTarget)
    .map(make)
    .toSorted((a, b) => a.at - b.at)
}
