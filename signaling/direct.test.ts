import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBrowserBench, type BrowserBench, type BrowserPage } from './host/browser.fixture.ts'
import { startRelayProcess } from './relay/relay-process.fixture.ts'

let bench: BrowserBench
beforeAll(async () => {
  bench = await startBrowserBench()
}, 60_000)
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
})

const direct = async (from: BrowserPage, to: BrowserPage): Promise<void> => {
  await from.call('want', to.card, true)
  await Promise.all([
    from.until('paths', (paths) => paths[to.card.name] === 'direct'),
    to.until('paths', (paths) => paths[from.card.name] === 'direct'),
  ])
}

test('two browsers talk directly, also while the relay stands still, and recover with it', async () => {
  await using relay = await startRelayProcess()
  const alice = await bench.open('alice', relay.address)
  const bob = await bench.open('bob', relay.address)
  await direct(alice, bob)
  expect(await alice.call('send', bob.card, 'one')).toEqual({ ok: true, value: 'direct' })
  expect(await bob.call('send', alice.card, 'two')).toEqual({ ok: true, value: 'direct' })

  await relay.signal('SIGSTOP')
  const stoppedAt = performance.now()
  expect(await alice.call('send', bob.card, 'three')).toEqual({ ok: true, value: 'direct' })
  expect(await bob.call('send', alice.card, 'four')).toEqual({ ok: true, value: 'direct' })
  expect(performance.now() - stoppedAt).toBeLessThan(2_000)
  // Long enough for both to find out that the relay is gone; the link must survive that.
  await alice.until('states', (states) => states.at(-1) === 'reconnecting')
  await bob.until('states', (states) => states.at(-1) === 'reconnecting')
  expect(await alice.call('send', bob.card, 'five')).toEqual({ ok: true, value: 'direct' })

  const continuedAt = performance.now()
  await relay.signal('SIGCONT')
  await alice.until('states', (states) => states.at(-1) === 'connected')
  await bob.until('states', (states) => states.at(-1) === 'connected')
  expect(performance.now() - continuedAt).toBeLessThan(10_000)
  const texts = (await bob.read('received')).map(({ text }) => text)
  expect(texts).toEqual(['one', 'three', 'five'])
  expect((await bob.read('received')).every(({ path }) => path === 'link')).toBe(true)

  // Bob's page goes: what follows takes the mailbox, and Alice's page says so.
  await bob.page.close()
  await alice.until('paths', ({ bob: path }) => path === 'relay')
  expect(await alice.call('send', bob.card, 'six')).toEqual({ ok: true, value: 'deposited' })
  await alice.page.context().close()
}, 60_000)

for (const by of ['ws', 'webrtc-direct'] as const) {
  test(`a relay known by its ${by} address alone introduces again after it was killed and started anew`, async () => {
    await using relay = await startRelayProcess({ by })
    const alice = await bench.open('alice', relay.address)
    const bob = await bench.open('bob', relay.address)
    expect(await alice.call('send', bob.card, 'one')).toMatchObject({ ok: true })
    await relay.signal('SIGKILL')
    await Promise.all([alice, bob].map((page) => page.until('states', (states) => states.at(-1) === 'reconnecting')))
    await relay.restart()
    const restartedAt = performance.now()
    await Promise.all([alice, bob].map((page) => page.until('states', (states) => states.at(-1) === 'connected')))
    await direct(alice, bob)
    expect(performance.now() - restartedAt).toBeLessThan(10_000)
    expect(await alice.call('send', bob.card, 'two')).toEqual({ ok: true, value: 'direct' })
    // Killed before it heard the acknowledgement, the relay brings the first one again: the engine knows its id.
    await bob.until('received', (received) => received.some(({ text }) => text === 'two'))
    expect(new Set((await bob.read('received')).map(({ text }) => text))).toEqual(new Set(['one', 'two']))
    await Promise.all([alice.page.context().close(), bob.page.context().close()])
  }, 60_000)
}

test('how an attempt at a link ended is told: it stood, nothing leads through, the device is not there', async () => {
  await using relay = await startRelayProcess()
  const alice = await bench.open('alice', relay.address)
  const bob = await bench.open('bob', relay.address)
  // Neither learns where the other could be reached: all that ever differs between two networks that let nothing through.
  const deafen = () => {
    const { prototype } = RTCPeerConnection
    const kept = prototype.addIceCandidate
    prototype.addIceCandidate = () => Promise.resolve()
    Object.assign(globalThis, { hearAgain: () => (prototype.addIceCandidate = kept) })
  }
  await Promise.all([alice.page.evaluate(deafen), bob.page.evaluate(deafen)])
  await alice.call('want', bob.card, true)
  await alice.until('dials', (dials) => dials.length > 0)
  expect(await alice.read('dials')).toEqual(['no-way-through'])

  const hear = () => void (globalThis as unknown as { hearAgain: () => void }).hearAgain()
  await Promise.all([alice.page.evaluate(hear), bob.page.evaluate(hear)])
  await alice.until('dials', (dials) => dials.includes('linked'))

  await bob.page.close()
  await alice.until('dials', (dials) => dials.at(-1) !== 'linked')
  expect((await alice.read('dials')).at(-1)).toBe('not-there')
  await alice.page.context().close()
}, 120_000)
