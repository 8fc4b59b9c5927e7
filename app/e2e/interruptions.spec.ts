import { setTimeout as pause } from 'node:timers/promises'
import { expect } from '@playwright/test'
import { twoHomes } from './harness/homes.ts'
import { relayHostLater, whyNoNamespaces } from './harness/namespaces.ts'
import type { Person } from './harness/person.ts'
import { test } from './harness/scenario.ts'

const reason = whyNoNamespaces()

/** The whole length is one of the long scenarios; a short one goes along with every change. */
const runs = [
  { name: 'network gone and asleep for seconds', cutMs: 10_000, sleepMs: 15_000, moves: false },
  {
    name: 'network gone for a minute, asleep for five, then a relay at another address @slow',
    ...{ cutMs: 60_000, sleepMs: 300_000, moves: true },
  },
]

/** A way that is there again must be found within this, by itself. */
const againMs = 60_000

/** The browser may keep what a name resolved to for a minute, and attempts are up to half a minute apart by then. */
const movedMs = 120_000

for (const { name, cutMs, sleepMs, moves } of runs) {
  test(`everything arrives without a reload: ${name}`, async ({ world }) => {
    test.skip(reason !== undefined, reason)
    test.setTimeout(480_000 + 2 * (cutMs + sleepMs))
    const { internet, homes, relay, alice, bob } = await twoHomes(world)
    const sent: string[] = []
    const write = async (from: Person, text: string): Promise<void> => {
      sent.push(text)
      await from.send(text)
    }
    await write(alice, 'before, from Alice')
    await bob.expectMessage('before, from Alice')

    internet.unplug(homes.alice)
    await write(alice, 'in the dark, from Alice')
    await write(bob, 'in the dark, from Bob')
    await pause(cutMs)
    internet.plug(homes.alice)
    await bob.expectMessage('in the dark, from Alice', againMs)
    await alice.expectMessage('in the dark, from Bob', againMs)

    alice.profile.stop()
    await write(bob, 'asleep, from Bob')
    await pause(sleepMs)
    alice.profile.continue()
    await alice.expectMessage('asleep, from Bob', againMs)
    await write(alice, 'awake, from Alice')
    await bob.expectMessage('awake, from Alice', againMs)

    if (moves) {
      // From here on the relay is the only way.
      internet.forbidDirect()
      await internet.moveRelay()
      await relay.moveTo(relayHostLater)
      await write(alice, 'moved, from Alice')
      await write(bob, 'moved, from Bob')
      await bob.expectMessage('moved, from Alice', movedMs)
      await alice.expectMessage('moved, from Bob', movedMs)
    }
    for (const person of [alice, bob]) {
      const seen = (await person.read()).map(({ text }) => text)
      for (const text of sent)
        expect(
          seen.filter((one) => one.includes(text)),
          text,
        ).toHaveLength(1)
    }
  })
}
