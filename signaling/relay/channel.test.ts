import type { Connection } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { struct, uint } from '../../protocol/wire/codec.ts'
import { serveRequests, type RequestHandler } from '../stream/serve-requests.ts'
import { RelayChannel } from './channel.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const number = struct('number', { value: [0, uint()] })

/** A channel to a relay that does what the handlers say, over a pair of real streams. */
const channelTo = async (handlers: Record<string, RequestHandler>) => {
  const [client, server] = await streamPair()
  serveRequests(server, { handlers })
  const connection = { status: 'open', newStream: () => Promise.resolve(client), abort: () => undefined }
  const channel = new RelayChannel(connection as unknown as Connection)
  const call = (method: string): Promise<unknown> =>
    channel.call({ protocol: 'p', method, params: [number, { value: 1 }], result: number })
  return { channel, call }
}

const after =
  (ms: number): RequestHandler =>
  (params) =>
    new Promise((resolve) => setTimeout(() => resolve(params), ms))

/** What becomes of a call, as soon as it is known. */
const outcomeOf = (call: Promise<unknown>): { readonly told: string | undefined } => {
  const outcome: { told: string | undefined } = { told: undefined }
  call.then(
    () => (outcome.told = 'answered'),
    (cause: unknown) => (outcome.told = cause instanceof DOMException ? cause.name : String(cause)),
  )
  return outcome
}

test('a relay of which nothing is heard for 5 s is given up', async () => {
  const { call, channel } = await channelTo({ never: () => new Promise(() => undefined), quick: after(1) })
  // What was heard before the call says nothing of now.
  const quick = outcomeOf(call('quick'))
  await vi.advanceTimersByTimeAsync(900)
  expect(quick.told).toBe('answered')
  const outcome = outcomeOf(call('never'))
  await vi.advanceTimersByTimeAsync(4_000)
  expect(outcome.told).toBeUndefined()
  expect(channel.idleMs).toBe(0)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(outcome.told).toBe('TimeoutError')
  await vi.advanceTimersByTimeAsync(2_000)
  expect(channel.idleMs).toBeGreaterThanOrEqual(2_000)
})

test('a relay that answers others has much to do, and is waited for', async () => {
  const { call } = await channelTo({ slow: after(12_000), never: () => new Promise(() => undefined), quick: after(1) })
  const [slow, never] = [outcomeOf(call('slow')), outcomeOf(call('never'))]
  for (let second = 0; second < 29; second++) {
    await Promise.all([call('quick'), vi.advanceTimersByTimeAsync(1_000)])
    if (second === 11) expect(slow.told).toBe('answered')
  }
  expect(never.told).toBeUndefined()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(never.told).toBe('TimeoutError')
})
