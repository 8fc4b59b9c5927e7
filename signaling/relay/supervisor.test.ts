import type { Connection } from '@libp2p/interface'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FakePage } from '../network.fixture.ts'
import type { RelayState } from '../network.ts'
import { RelayRefusal } from '../stream/request-stream.ts'
import { RelayOutdated, RelaySupervisor } from './supervisor.ts'

/** Time and a relay that the test plays; recovery from real deaths is in `recovery.test.ts`. */
beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

class FakeConnection extends EventTarget {
  status = 'open'

  abort(): void {
    if (this.status !== 'open') return
    this.status = 'aborted'
    this.dispatchEvent(new Event('close'))
  }
}

const play = () => {
  const page = new FakePage()
  const world = {
    page,
    dials: 0,
    pings: 0,
    up: true,
    alive: true,
    reserved: true,
    left: false,
    /** An attempt that takes its time. */
    dialling: undefined as Promise<Connection> | undefined,
    refusal: undefined as RelayRefusal | RelayOutdated | undefined,
    connections: new Array<FakeConnection>(),
    states: new Array<RelayState>(),
  }
  const supervisor = new RelaySupervisor({
    environment: page,
    random: (length) => new Uint8Array(length).fill(128),
    dial: () => {
      world.dials++
      if (world.dialling !== undefined) return world.dialling
      if (!world.up) return Promise.reject(new Error('connection refused'))
      const connection = new FakeConnection()
      world.connections.push(connection)
      return Promise.resolve(connection as unknown as Connection)
    },
    setUp: () => (world.refusal === undefined ? Promise.resolve() : Promise.reject(world.refusal)),
    ping: () => {
      world.pings++
      return world.alive ? Promise.resolve() : Promise.reject(new Error('no answer'))
    },
    isReserved: () => world.reserved,
    isLeft: () => world.left,
    onState: (state) => world.states.push(state),
  })
  supervisor.start()
  return { world, supervisor }
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

test('attempts go on for ever, at most 4.5 s apart', async () => {
  const { world, supervisor } = play()
  await settle()
  world.up = false
  world.connections[0]?.abort()
  await vi.advanceTimersByTimeAsync(600_000)
  expect(world.dials).toBeGreaterThan(600 / 4.5)
  expect(world.dials).toBeLessThan(600)
  world.up = true
  await vi.advanceTimersByTimeAsync(4_500)
  expect(world.states).toEqual(['connecting', 'connected', 'reconnecting', 'connected'])
  await supervisor.stop()
  expect(vi.getTimerCount()).toBe(0)
})

test('who comes back while an attempt is under way is not kept waiting when that one fails', async () => {
  const { world, supervisor } = play()
  await settle()
  world.up = false
  const under = Promise.withResolvers<Connection>()
  world.dialling = under.promise
  world.connections[0]?.abort()
  await vi.advanceTimersByTimeAsync(4_500)
  expect(world.dials).toBe(2)
  world.page.window.dispatchEvent(new Event('online'))
  world.dialling = undefined
  world.up = true
  under.reject(new Error('the relay took too long'))
  await settle()
  expect(world.dials).toBe(3)
  expect(world.states.at(-1)).toBe('connected')
  await supervisor.stop()
})

/** A relay that was left while it was connected, and has been dead since, for a day. */
const leftADayAgo = async () => {
  const { world, supervisor } = play()
  await settle()
  world.left = true
  world.up = false
  world.connections[0]?.abort()
  await vi.advanceTimersByTimeAsync(86_400_000)
  return { world, supervisor, dials: world.dials }
}

test('a relay that was left is dialled ever more seldom, down to once in some minutes', async () => {
  const { world, supervisor, dials } = await leftADayAgo()
  expect(dials).toBeLessThan(86_400 / 300 + 20)
  world.up = true
  await vi.advanceTimersByTimeAsync(450_000)
  expect(world.dials).toBe(dials + 1)
  expect(supervisor.state).toBe('connected')
  await supervisor.stop()
})

test('a relay that was left, and is taken back, is dialled at once and as often as others', async () => {
  const { world, supervisor, dials } = await leftADayAgo()
  world.left = false
  supervisor.nudge()
  await settle()
  expect(world.dials).toBe(dials + 1)
  world.up = true
  await vi.advanceTimersByTimeAsync(4_500)
  expect(supervisor.state).toBe('connected')
  await supervisor.stop()
})

test('going online and being seen again cut the waiting short', async () => {
  const { world, supervisor } = play()
  await settle()
  world.up = false
  world.connections[0]?.abort()
  await vi.advanceTimersByTimeAsync(60_000)
  world.up = true
  const dials = world.dials
  world.page.window.dispatchEvent(new Event('online'))
  await settle()
  expect(world.dials).toBe(dials + 1)
  expect(supervisor.state).toBe('connected')
  const pings = world.pings
  world.page.document.dispatchEvent(new Event('visibilitychange'))
  await settle()
  expect(world.pings).toBe(pings + 1)
  await supervisor.stop()
})

test('a relay that does not answer its ping is left, and dialled anew', async () => {
  const { world, supervisor } = play()
  await settle()
  world.alive = false
  await vi.advanceTimersByTimeAsync(5_000)
  expect(world.connections[0]?.status).toBe('aborted')
  expect(supervisor.channel).toBeUndefined()
  world.alive = true
  await vi.advanceTimersByTimeAsync(4_500)
  expect(supervisor.state).toBe('connected')
  await supervisor.stop()
})

test('a hidden page asks seldom', async () => {
  const { world, supervisor } = play()
  world.page.document.visibilityState = 'hidden'
  await settle()
  await vi.advanceTimersByTimeAsync(300_000)
  expect(world.pings).toBe(10)
  await supervisor.stop()
})

test('without a reservation the connection is made anew, ever more seldom', async () => {
  const { world, supervisor } = play()
  world.reserved = false
  await vi.advanceTimersByTimeAsync(60_000)
  // After 10 s, 20 s, …: twice in a minute, not every time it is looked at.
  expect(world.connections.length).toBeGreaterThanOrEqual(2)
  expect(world.connections.length).toBeLessThanOrEqual(4)
  world.reserved = true
  const connections = world.connections.length
  await vi.advanceTimersByTimeAsync(600_000)
  expect(world.connections.length - connections).toBeLessThanOrEqual(1)
  expect(supervisor.state).toBe('connected')
  await supervisor.stop()
})

test('a relay that asks for patience gets it', async () => {
  const { world, supervisor } = play()
  world.refusal = new RelayRefusal('overloaded', 'the relay takes no new mailboxes just now', 30_000)
  await settle()
  expect(world.dials).toBe(1)
  await vi.advanceTimersByTimeAsync(29_999)
  expect(world.dials).toBe(1)
  world.refusal = undefined
  await vi.advanceTimersByTimeAsync(1)
  expect(supervisor.state).toBe('connected')
  await supervisor.stop()
})

test('asks a relay that serves only newer clients once an hour, whatever happens to the page', async () => {
  const { world, supervisor } = play()
  world.refusal = new RelayOutdated()
  await vi.advanceTimersByTimeAsync(30 * 60_000)
  expect(world.states).toEqual(['connecting', 'outdated'])
  for (let i = 0; i < 20; i++) {
    world.page.window.dispatchEvent(new Event('online'))
    world.page.document.dispatchEvent(new Event('visibilitychange'))
    await vi.advanceTimersByTimeAsync(1_000)
  }
  expect(world.dials).toBe(1)
  world.refusal = undefined
  await vi.advanceTimersByTimeAsync(30 * 60_000)
  expect(world.states).toEqual(['connecting', 'outdated', 'connected'])
  await supervisor.stop()
})
