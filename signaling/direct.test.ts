import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBrowserBench, type BrowserBench } from './host/browser.fixture.ts'
import { startRelayProcess, type RelayProcess } from './relay/relay-process.fixture.ts'

let relay: RelayProcess
let bench: BrowserBench
beforeAll(async () => {
  ;[relay, bench] = await Promise.all([startRelayProcess(), startBrowserBench()])
}, 60_000)
afterAll(async () => {
  await bench[Symbol.asyncDispose]()
  await relay[Symbol.asyncDispose]()
})

test('two browsers talk directly, also while the relay stands still, and recover with it', async () => {
  const alice = await bench.open('alice', relay.address)
  const bob = await bench.open('bob', relay.address)
  await alice.call('want', bob.card, true)
  await Promise.all([
    alice.until('paths', ({ bob: path }) => path === 'direct'),
    bob.until('paths', ({ alice: path }) => path === 'direct'),
  ])
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
