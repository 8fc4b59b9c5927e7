import { expect } from '@playwright/test'
import { introduce, test } from './harness/scenario.ts'

const chunk = /\/load-sodium-[^/]+\.js$/

test('the fast cryptography comes after the messages, and the policy lets it run and nothing more', async ({
  world,
}) => {
  const { alice, bob } = await introduce(world)
  const loaded = alice.page.context().waitForEvent('requestfinished', (request) => chunk.test(request.url()))
  await alice.page.reload()
  await loaded
  await alice.openConversation('Bob')
  await alice.send('with libsodium')
  await bob.expectMessage('with libsodium')
  const [worker] = alice.page.workers()
  const outcome = await worker?.evaluate(async () => {
    // Later, as the worker's own code: what a debugger evaluates is allowed to evaluate in turn.
    await new Promise((resolve) => setTimeout(resolve))
    const emptyModule = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)
    const compiled = await WebAssembly.compile(emptyModule).then(
      () => true,
      () => false,
    )
    try {
      return { compiled, evaluated: new Function('return true')() as boolean }
    } catch {
      return { compiled, evaluated: false }
    }
  })
  expect(outcome).toEqual({ compiled: true, evaluated: false })
  for (const { profile } of [alice, bob]) expect(profile.consoleLines).toEqual([])
  expect(await alice.diagnostics()).not.toContain('slow-crypto')
})

test('without it everything works, and the diagnostics say so', async ({ world }) => {
  const relay = await world.relay()
  const [alice, bob] = await Promise.all([world.person('Alice'), world.person('Bob')])
  await alice.profile.context.route(chunk, (route) => route.abort())
  await alice.onboard(relay.url)
  await bob.acceptAsNewcomer(await alice.invite())
  await alice.openConversation('Bob')
  await alice.send('slowly but surely')
  await bob.expectMessage('slowly but surely')
  await bob.send('so it is')
  await alice.expectMessage('so it is')
  expect(await alice.diagnostics()).toContain('slow-crypto')
})
