import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startDevice, type Device } from '../network.fixture.ts'
import { startRelayProcess, type RelayProcess } from './relay-process.fixture.ts'

/** A relay, two devices at it, and what they may cost: the promises of the supervisor. */
let relay: RelayProcess
let alice: Device
let bob: Device
beforeEach(async () => {
  relay = await startRelayProcess()
  ;[alice, bob] = await Promise.all([startDevice(relay.address), startDevice(relay.address)])
})
afterEach(async () => {
  await Promise.all([alice[Symbol.asyncDispose](), bob[Symbol.asyncDispose]()])
  await relay[Symbol.asyncDispose]()
})

/** Longest time to be back after the relay is, without anybody pressing a button. */
const recoveryMs = 10_000

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text.padEnd(256))
const connected = (device: Device): Promise<void> => device.engine.until(() => device.engine.relayState === 'connected')
const lost = (device: Device): Promise<void> => device.engine.until(() => device.engine.relayState === 'reconnecting')

/** Sends as an outbox does: again until somebody has it. */
const sendSurely = async (text: string): Promise<void> => {
  for (;;) {
    const sent = await alice.network.send(bob.route('bob'), bytes(text))
    if (sent.ok) return
    await connected(alice)
    await new Promise((resolve) => setTimeout(resolve, Math.min(sent.retryAfterMs ?? 50, 500)))
  }
}

const texts = (device: Device): string[] =>
  device.engine.received.map(({ envelope }) => new TextDecoder().decode(envelope).trimEnd())

test('a relay killed and started again is found, and everything it had promised arrives', async () => {
  await sendSurely('before')
  await bob.engine.until(() => texts(bob).includes('before'))
  await relay.signal('SIGKILL')
  await Promise.all([lost(alice), lost(bob)])
  await relay.restart()
  const restartedAt = performance.now()
  await Promise.all([connected(alice), connected(bob)])
  await sendSurely('after')
  await bob.engine.until(() => texts(bob).includes('after'))
  expect(performance.now() - restartedAt).toBeLessThan(recoveryMs)
  expect(bob.engine.relayStates).toEqual(['connecting', 'connected', 'reconnecting', 'connected'])
}, 40_000)

test('a relay that stands still is noticed by its silence, and found again when it goes on', async () => {
  await relay.signal('SIGSTOP')
  await Promise.all([lost(alice), lost(bob)])
  expect(alice.engine.paths.size).toBe(0)
  const sending = sendSurely('waited')
  await relay.signal('SIGCONT')
  const continuedAt = performance.now()
  await Promise.all([connected(alice), connected(bob)])
  await sending
  await bob.engine.until(() => texts(bob).includes('waited'))
  expect(performance.now() - continuedAt).toBeLessThan(recoveryMs)
}, 60_000)

test('five deaths in a row, envelopes sent all the while: each arrives, in order', async () => {
  const sending = (async () => {
    for (let i = 0; i < 100; i++) await sendSurely(String(i))
  })()
  for (let round = 0; round < 5; round++) {
    await bob.engine.until(() => texts(bob).length >= round * 15)
    await relay.signal('SIGKILL')
    await relay.restart()
  }
  await sending
  await bob.engine.until(() => new Set(texts(bob)).size === 100)
  // A crash may bring an envelope twice; the engine knows its id. First appearances keep the order.
  expect([...new Set(texts(bob))]).toEqual(Array.from({ length: 100 }, (_, i) => String(i)))
}, 90_000)

/** Where the relay would be, and nobody who answers: tells when somebody calls. */
const emptyHouse = async (): Promise<{ readonly called: Promise<unknown>; readonly close: () => Promise<unknown> }> => {
  const server = createServer((socket) => socket.destroy())
  const called = once(server, 'connection')
  server.listen(Number(/\/tcp\/(\d+)/.exec(relay.address.addresses[0] ?? '')?.[1]), '127.0.0.1')
  await once(server, 'listening')
  return { called, close: () => new Promise((resolve) => server.close(resolve)) }
}

test('a page that comes back looks at once, and says offline while the machine says so', async () => {
  await relay.signal('SIGKILL')
  await Promise.all([lost(alice), lost(bob)])
  for (const { page } of [alice, bob]) {
    page.navigator.onLine = false
    page.window.dispatchEvent(new Event('offline'))
  }
  await alice.engine.until(() => alice.engine.relayState === 'offline')
  await bob.engine.until(() => bob.engine.relayState === 'offline')
  const house = await emptyHouse()
  alice.page.navigator.onLine = true
  alice.page.window.dispatchEvent(new Event('online'))
  const onlineAt = performance.now()
  await house.called
  expect(performance.now() - onlineAt).toBeLessThan(500)
  await house.close()
  await relay.restart()
  await connected(alice)
}, 40_000)
