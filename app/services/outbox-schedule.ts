import { untilMs } from './timers.ts'

/**
 * When the rows of one contact are offered, by number. In memory only: what stands in the store is read again before anything
 * leaves, so a number too many costs a look and nothing else.
 *
 * 1. A number is in at most one of `queue`, `again`, `inFlight` and `due`.
 * 2. Fresh numbers leave first, in order; a long absence never delays what is written now.
 * 3. An attempt that was given up on ends nothing: only the newest attempt of a number does.
 */
export interface Schedule {
  /** Rows to be offered as soon as there is room, in sending order. */
  readonly queue: number[]
  /** Rows to be offered again: only when no fresh one waits. */
  readonly again: number[]
  /** By row, the batch of the attempt that counts. */
  readonly inFlight: Map<number, number>
  /** By row, when it is to be offered again. */
  readonly due: Map<number, Due>
}

export interface Due {
  /** Unix milliseconds. */
  readonly atMs: number
  /** How far away that was when it was written down: no clock that is put back makes it farther. */
  readonly pauseMs: number
}

export const emptySchedule = (): Schedule => ({ queue: [], again: [], inFlight: new Map(), due: new Map() })

const isUnderWay = ({ queue, again, inFlight }: Schedule): ((number: number) => boolean) => {
  const known = new Set([...queue, ...again, ...inFlight.keys()])
  return (number) => known.has(number)
}

/** Adds numbers that are not on their way already, keeping the list in order. */
export const enqueue = (schedule: Schedule, numbers: readonly number[], list: 'queue' | 'again'): void => {
  const underWay = isUnderWay(schedule)
  const fresh = [...new Set(numbers)].filter((number) => !underWay(number)).sort((a, b) => a - b)
  for (const number of fresh) schedule.due.delete(number)
  const target = schedule[list]
  const last = target.at(-1)
  const sorted = last === undefined || (fresh[0] ?? 0) > last
  target.push(...fresh)
  if (!sorted) target.sort((a, b) => a - b)
}

/** Times at which rows are to be offered again, as they stand in the store; what is on its way already has none. */
export const postpone = (schedule: Schedule, times: readonly (readonly [number: number, due: Due])[]): void => {
  const underWay = isUnderWay(schedule)
  for (const [number, due] of times) if (!underWay(number)) schedule.due.set(number, due)
}

/** The next numbers to offer, at most `room`, in flight from now on as one batch. */
export const depart = ({ queue, again, inFlight }: Schedule, room: number, batch: number): number[] => {
  const fresh = queue.splice(0, room)
  const numbers = [...fresh, ...again.splice(0, room - fresh.length)]
  for (const number of numbers) inFlight.set(number, batch)
  return numbers
}

/** The attempt is over. False: another one counts by now. */
export const land = ({ inFlight }: Schedule, number: number, batch: number): boolean =>
  inFlight.get(number) === batch && inFlight.delete(number)

/** Gives up on every attempt under way: what it concerned leaves anew. */
export const recall = (schedule: Schedule): void => {
  const numbers = [...schedule.inFlight.keys()]
  schedule.inFlight.clear()
  enqueue(schedule, numbers, 'queue')
}

/** Rows that are gone wait for no time any more, so that a flood leaves nothing behind. */
export const forget = ({ due }: Schedule, numbers: readonly number[]): void => {
  for (const number of numbers) due.delete(number)
}

const leftMs = ({ atMs, pauseMs }: Due, now: number): number => untilMs(now, atMs, pauseMs)

/** Rows whose time has come are to be offered again. */
export const comeDue = (schedule: Schedule, now: number): void =>
  enqueue(
    schedule,
    [...schedule.due].filter(([, due]) => leftMs(due, now) === 0).map(([number]) => number),
    'again',
  )

/** Milliseconds until the first row is due; infinite if none is. */
export const untilDue = ({ due }: Schedule, now: number): number => {
  let least = Number.POSITIVE_INFINITY
  for (const one of due.values()) least = Math.min(least, leftMs(one, now))
  return least
}
