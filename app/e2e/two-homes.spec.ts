import { setTimeout as pause } from 'node:timers/promises'
import { expect } from '@playwright/test'
import { twoHomes } from './harness/homes.ts'
import { whyNoNamespaces } from './harness/namespaces.ts'
import { processorSeconds } from './harness/processes.ts'
import { test } from './harness/scenario.ts'

const reason = whyNoNamespaces()

test('two homes behind masquerading routers connect directly', async ({ world }) => {
  test.skip(reason !== undefined, reason)
  const { relay, alice, bob } = await twoHomes(world)
  await alice.expectConnection('Direct')
  await bob.expectConnection('Direct')
  relay.stop()
  await alice.send('over the fence')
  await bob.expectMessage('over the fence', 2_000)
  await bob.send('and back')
  await alice.expectMessage('and back', 2_000)
  relay.continue()
})

/** Long enough to hold several attempts at a direct link, if somebody were to repeat them without pause. */
const idle = [
  { name: 'nothing loops', seconds: 20 },
  { name: 'two minutes are idle @slow', seconds: 120 },
]
/** Of one core. An open page does almost nothing; a loop of dials takes a multiple. */
const idleShare = 0.15

for (const { name, seconds } of idle) {
  test(`where no direct connection is possible the mailbox carries everything and ${name}`, async ({ world }) => {
    test.skip(reason !== undefined, reason)
    test.setTimeout(120_000 + seconds * 1_000)
    const { alice, bob } = await twoHomes(world, (internet) => internet.forbidDirect())
    for (const number of [1, 2, 3]) {
      await alice.send(`by relay ${number}`)
      await bob.expectMessage(`by relay ${number}`)
      await bob.send(`answer ${number}`)
      await alice.expectMessage(`answer ${number}`)
    }
    await alice.expectConnection('Relay')
    await alice.expectReceipt('by relay 3', 'Read')
    const browser = alice.profile.processes()
    const before = processorSeconds(browser)
    await pause(seconds * 1000)
    const used = processorSeconds(browser) - before
    console.log(
      `    ${used.toFixed(1)} s of processor time in ${seconds} s: ${((used / seconds) * 3_600).toFixed(0)} s an hour`,
    )
    expect(used / seconds).toBeLessThan(idleShare)
  })
}
