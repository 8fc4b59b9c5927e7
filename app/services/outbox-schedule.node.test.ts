import fc from 'fast-check'
import { expect, test } from 'vitest'
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
  type Due,
  type Schedule,
} from './outbox-schedule.ts'

const dueAt = (atMs: number): Due => ({ atMs, pauseMs: atMs })

test('fresh rows leave before repeats, each in order', () => {
  const schedule = emptySchedule()
  enqueue(schedule, [4, 2], 'again')
  enqueue(schedule, [9, 7], 'queue')
  enqueue(schedule, [8, 8], 'queue')
  expect(depart(schedule, 4, 1)).toEqual([7, 8, 9, 2])
  expect(depart(schedule, 4, 2)).toEqual([4])
})

test('an attempt that was given up on ends nothing', () => {
  const schedule = emptySchedule()
  enqueue(schedule, [1], 'queue')
  depart(schedule, 1, 1)
  recall(schedule)
  expect(land(schedule, 1, 1)).toBe(false)
  expect(depart(schedule, 1, 2)).toEqual([1])
  expect([land(schedule, 1, 1), land(schedule, 1, 2), land(schedule, 1, 2)]).toEqual([false, true, false])
})

test('rows that are gone are not waited for', () => {
  const schedule = emptySchedule()
  postpone(schedule, [
    [1, dueAt(50)],
    [2, dueAt(70)],
  ])
  forget(schedule, [1])
  expect(untilDue(schedule, 20)).toBe(50)
  forget(schedule, [2, 3])
  expect(untilDue(schedule, 20)).toBe(Number.POSITIVE_INFINITY)
})

test('no clock that is put back makes a pause longer', () => {
  const schedule = emptySchedule()
  postpone(schedule, [[1, { atMs: 1_000_000, pauseMs: 60_000 }]])
  expect(untilDue(schedule, 950_000)).toBe(50_000)
  // An hour back.
  comeDue(schedule, 950_000 - 3_600_000)
  expect(depart(schedule, 1, 1)).toEqual([1])
})

type Act = (schedule: Schedule, numbers: readonly number[], batch: number) => void
const acts: readonly Act[] = [
  (schedule, numbers) => enqueue(schedule, numbers, 'queue'),
  (schedule, numbers) => enqueue(schedule, numbers, 'again'),
  (schedule, numbers, batch) => void depart(schedule, numbers.length, batch),
  (schedule, numbers) => {
    for (const number of numbers) {
      const batch = schedule.inFlight.get(number)
      if (batch !== undefined && land(schedule, number, batch)) schedule.due.set(number, dueAt(number * 10))
    }
  },
  (schedule) => recall(schedule),
  (schedule, numbers) => forget(schedule, numbers),
  (schedule, numbers) => comeDue(schedule, (numbers[0] ?? 0) * 10),
  (schedule, numbers) =>
    postpone(
      schedule,
      numbers.map((number) => [number, dueAt(number * 10)]),
    ),
]

test('a row is in one place at most, whatever happens', () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(acts.length - 1), numbers), { maxLength: 60 }), (happenings) => {
      const schedule = emptySchedule()
      for (const [i, [which, chosen]] of happenings.entries()) {
        acts[which]?.(schedule, chosen, i)
        const { queue, again, inFlight, due } = schedule
        const all = [...queue, ...again, ...inFlight.keys(), ...due.keys()]
        expect(new Set(all).size).toBe(all.length)
        expect(queue.toSorted((a, b) => a - b)).toEqual(queue)
        expect(again.toSorted((a, b) => a - b)).toEqual(again)
      }
    }),
  )
})
