import type { Connection, Libp2p } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { random32 } from '../network.fixture.ts'
import type { RelayAddress } from '../network.ts'
import { RelayDialler } from './relay-dialler.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const connection = {} as Connection
const relay = (...addresses: string[]): RelayAddress => ({ relayKey: random32(), addresses })
const first = '/ip4/192.0.2.1/tcp/1/ws'
const second = '/ip4/192.0.2.2/tcp/1/ws'
const direct = '/ip4/192.0.2.1/udp/1/webrtc-direct/certhash/uEiBmz27snfFeZGQFkDQYo1R2xF5HRf4GRj18WNwx22aljA'

/** A host whose dials take as long as is said of the address, and how long each was given. */
const play = (takesMs: Record<string, number>) => {
  const dials: { address: string; ms: number }[] = []
  const dial = async (address: Multiaddr, { signal }: { signal: AbortSignal }): Promise<Connection> => {
    const begunMs = Date.now()
    const [at = ''] = address.toString().split('/p2p/')
    await new Promise<void>((resolve, reject) => {
      const takes = takesMs[at] ?? 0
      if (takes < 0) reject(new Error('connection refused'))
      setTimeout(resolve, takes)
      signal.addEventListener('abort', () => {
        dials.push({ address: at, ms: Date.now() - begunMs })
        reject(signal.reason)
      })
    })
    return connection
  }
  const host = { dial } as unknown as Pick<Libp2p, 'dial'>
  return { host, dials }
}

const never = new AbortController().signal

test('one address after the other has its time, and twice as much after an attempt that ran out of it', async () => {
  const takes = { [first]: 90_000, [second]: 90_000 }
  const { host, dials } = play(takes)
  const dialler = new RelayDialler(5_000)
  const to = relay(first, second)
  const attempt = async (): Promise<number[]> => {
    await Promise.all([
      expect(dialler.dial(host, to, never)).rejects.toThrow('took too long'),
      vi.advanceTimersByTimeAsync(60_000),
    ])
    return dials.splice(0).map(({ ms }) => ms)
  }
  expect(await attempt()).toEqual([5_000, 5_000])
  expect(await attempt()).toEqual([10_000, 10_000])
  expect(await attempt()).toEqual([20_000, 20_000])
  expect(await attempt()).toEqual([20_000, 20_000])

  takes[second] = 19_000
  const reached = dialler.dial(host, to, never)
  await vi.advanceTimersByTimeAsync(40_000)
  expect(await reached).toBe(connection)
  takes[second] = 90_000
  dials.length = 0
  expect(await attempt()).toEqual([5_000, 5_000])
})

test('a relay that refuses at once is not given more time for that, nor is WebRTC, which says nothing', async () => {
  const takes = { [first]: -1, [direct]: 90_000 }
  const { host, dials } = play(takes)
  const dialler = new RelayDialler(5_000)
  for (let i = 0; i < 3; i++) {
    await Promise.all([
      expect(dialler.dial(host, relay(first, direct), never)).rejects.toThrow('took too long'),
      vi.advanceTimersByTimeAsync(30_000),
    ])
    expect(dials.splice(0)).toEqual([{ address: direct, ms: 5_000 }])
  }
  takes[first] = 90_000
  await Promise.all([
    expect(dialler.dial(host, relay(first), never)).rejects.toThrow('took too long'),
    vi.advanceTimersByTimeAsync(30_000),
  ])
  expect(dials).toEqual([{ address: first, ms: 5_000 }])
})

test('whoever does not want it any more is not kept waiting, and an unreadable address is none', async () => {
  const { host } = play({ [first]: 90_000 })
  const stop = new AbortController()
  const dialled = new RelayDialler(5_000).dial(host, relay(first, second), stop.signal)
  stop.abort(new Error('stopped'))
  await expect(dialled).rejects.toThrow('stopped')
  await expect(new RelayDialler(5_000).dial(host, relay('nowhere'), never)).rejects.toThrow('no address')
})
