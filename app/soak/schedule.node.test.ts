import { describe, expect, test } from 'vitest'
import { makeSchedule, type FaultKind, type ScheduleOptions } from './schedule.ts'

const options: ScheduleOptions = { relays: 3, engines: 16, browsers: 4, relayKills: 100, engineKills: 100, cuts: 30 }

const count = (kinds: readonly FaultKind[], ...wanted: FaultKind[]): number =>
  kinds.filter((kind) => wanted.includes(kind)).length

describe('a schedule', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(makeSchedule(7, options)).toEqual(makeSchedule(7, options))
    expect(makeSchedule(7, options)).not.toEqual(makeSchedule(8, options))
  })

  test('holds what was ordered, in order of time, and every kind of trouble', () => {
    const faults = makeSchedule(1, options)
    const kinds = faults.map(({ kind }) => kind)
    expect(count(kinds, 'relay-kill')).toBe(100)
    expect(count(kinds, 'engine-kill', 'browser-kill')).toBe(100)
    expect(count(kinds, 'browser-kill')).toBeGreaterThan(5)
    expect(count(kinds, 'cut')).toBe(30)
    expect(new Set(kinds).size).toBe(11)
    expect(faults.map(({ at }) => at)).toEqual(faults.map(({ at }) => at).toSorted((a, b) => a - b))
    for (const { at } of faults) expect(at >= 0 && at < 1).toBe(true)
  })

  test('meets everybody who is there and nobody else', () => {
    const faults = makeSchedule(2, options)
    const relays = new Set(faults.flatMap((fault) => ('relay' in fault ? [fault.relay] : [])))
    expect([...relays].toSorted()).toEqual([0, 1, 2])
    for (const fault of faults) {
      if (!('account' in fault)) continue
      const [least, most] = fault.kind.startsWith('browser') ? [16, 19] : [0, 15]
      expect(fault.account >= least && fault.account <= most, fault.kind).toBe(true)
    }
    const killed = new Set(faults.flatMap((fault) => (fault.kind === 'engine-kill' ? [fault.account] : [])))
    expect(killed.size).toBeGreaterThan(12)
  })

  test('leaves out what has no target', () => {
    const kinds = makeSchedule(3, { ...options, browsers: 0 }).map(({ kind }) => kind)
    expect(count(kinds, 'browser-kill', 'browser-freeze')).toBe(0)
    expect(count(kinds, 'engine-kill')).toBe(100)
  })
})
