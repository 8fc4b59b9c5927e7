import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { DialOutcome, NetworkResult, PeerRoute } from '../network.ts'
import { DialFailure } from './dial-failure.ts'
import { Dialer } from './dialer.ts'
import { Semaphore } from './semaphore.ts'

const route: PeerRoute = { contactId: 'bob', deviceKey: new Uint8Array(32), mailboxes: [], direct: true }
const envelope = new Uint8Array(256)
const yes: NetworkResult<null> = { ok: true, value: null }
const no: NetworkResult<null> = { ok: false, reason: 'slow-down', message: 'over the limit', retryAfterMs: 7 }

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A dialer whose network the test plays. */
const dialer = ({
  deposit = yes as NetworkResult<null> | Promise<never>,
  dial = () => Promise.reject(new Error('away')),
} = {}) => {
  const dials: number[] = []
  const outcomes: DialOutcome[] = []
  const transmissions: PromiseWithResolvers<boolean>[] = []
  const made: Dialer = new Dialer(route, {
    random: (length) => new Uint8Array(length).fill(128),
    dials: new Semaphore(4),
    dial: (_route, attempt) => {
      dials.push(attempt)
      return dial()
    },
    onDial: (_contactId, outcome) => void outcomes.push(outcome),
    transmit: () => {
      const answer = Promise.withResolvers<boolean>()
      transmissions.push(answer)
      return answer.promise
    },
    deposit: () => Promise.resolve(deposit),
  })
  return { made, dials, outcomes, transmissions }
}

test('an acknowledgement that is late brings the mailbox in, and not before 1.5 s', async () => {
  const { made, transmissions } = dialer()
  made.linkUp()
  let result: unknown
  void made.send(envelope).then((value) => (result = value))
  await vi.advanceTimersByTimeAsync(1_499)
  expect(result).toBeUndefined()
  await vi.advanceTimersByTimeAsync(1)
  expect(result).toEqual({ ok: true, value: 'deposited' })
  transmissions[0]?.resolve(true)
})

test('a link that keeps acknowledging is given time, but not for ever', async () => {
  const { made, transmissions } = dialer()
  made.linkUp()
  const settled: string[] = []
  void made.send(envelope).then(() => settled.push('first'))
  for (let second = 1; second < 10; second++) {
    void made.send(envelope)
    await vi.advanceTimersByTimeAsync(1_000)
    transmissions.at(-1)?.resolve(true)
  }
  expect(settled).toEqual([])
  void made.send(envelope)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(settled).toEqual(['first'])
})

test('what a link that was at work leaves unanswered is deposited 1.5 s after its last answer', async () => {
  const { made, transmissions } = dialer()
  made.linkUp()
  const results: unknown[] = []
  for (let i = 0; i < 3; i++) void made.send(envelope).then((result) => results.push(result))
  await vi.advanceTimersByTimeAsync(1_000)
  transmissions[0]?.resolve(true)
  await vi.advanceTimersByTimeAsync(1_499)
  expect(results).toEqual([{ ok: true, value: 'direct' }])
  await vi.advanceTimersByTimeAsync(2)
  expect(results.slice(1)).toEqual([
    { ok: true, value: 'deposited' },
    { ok: true, value: 'deposited' },
  ])
})

test('a failure says what the mailboxes said', async () => {
  const { made } = dialer({ deposit: no })
  expect(await made.send(envelope)).toEqual(no)
})

test('a contact that is away is dialled with growing pauses while on screen, and then never', async () => {
  const { made, dials } = dialer()
  made.want(true)
  await vi.advanceTimersByTimeAsync(120_000)
  // 2, 4, 8, 16, 30, 30, 30 s: within two minutes eight attempts at most.
  expect(dials.length).toBeGreaterThanOrEqual(6)
  expect(dials.length).toBeLessThanOrEqual(8)
  made.want(false)
  const before = dials.length
  await vi.advanceTimersByTimeAsync(600_000)
  expect(dials).toHaveLength(before)
  expect(vi.getTimerCount()).toBe(0)
})

test('how each attempt ended is told, without more than the reason', async () => {
  const reasons = [new DialFailure('not-there'), new DialFailure('no-way-through'), new Error('10.0.0.7 refused')]
  const { made, outcomes } = dialer({ dial: () => Promise.reject(reasons.shift() ?? new DialFailure('no-answer')) })
  made.want(true)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(outcomes.slice(0, 3)).toEqual(['not-there', 'no-way-through', 'failed'])
  made.linkUp()
  expect(outcomes.at(-1)).toBe('linked')
  made.stop()
})

test('a dial that ends because a link came from the other side, or the network stopped, is no failure', async () => {
  const dial = Promise.withResolvers<never>()
  const { made, outcomes } = dialer({ dial: () => dial.promise })
  made.want(true)
  made.linkUp()
  dial.reject(new DialFailure('no-answer'))
  await vi.advanceTimersByTimeAsync(0)
  expect(outcomes).toEqual(['linked'])
  made.stop()
})

test('nothing runs for a contact nobody wants', async () => {
  const { made, dials } = dialer()
  await made.send(envelope)
  await vi.advanceTimersByTimeAsync(600_000)
  expect(dials).toHaveLength(1)
  expect(vi.getTimerCount()).toBe(0)
})

test('one dial at a time, even when a link from the other side comes and goes meanwhile', async () => {
  const { made, dials } = dialer({ dial: () => new Promise<never>(() => {}) })
  made.want(true)
  made.linkUp()
  made.linkDown()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(dials).toHaveLength(1)
  made.stop()
})

test('what waits is answered when the network stops', async () => {
  const { made } = dialer({ deposit: new Promise<never>(() => {}) })
  const sent = made.send(envelope)
  made.stop()
  expect(await sent).toMatchObject({ ok: false, reason: 'offline' })
  expect(await made.send(envelope)).toMatchObject({ ok: false, reason: 'offline' })
})

test('at most four dials run at once over all contacts', async () => {
  const semaphore = new Semaphore(4)
  const ends: (() => void)[] = []
  const all = Array.from({ length: 6 }, () => semaphore.run(() => new Promise<void>((resolve) => ends.push(resolve))))
  await vi.advanceTimersByTimeAsync(0)
  expect(ends).toHaveLength(4)
  ends[0]?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(ends).toHaveLength(5)
  for (let i = 1; i < 6; i++) {
    ends[i]?.()
    await vi.advanceTimersByTimeAsync(0)
  }
  await Promise.all(all)
})
