import { expect } from '@playwright/test'
import { introduce, test } from './harness/scenario.ts'

test.describe('direct', () => {
  test('two browsers talk without the relay once they have met', async ({ world }) => {
    const { relay, alice, bob } = await introduce(world)
    await alice.expectConnection('Direct')
    await bob.expectConnection('Direct')
    await alice.send('from Alice, relay running')
    await bob.expectMessage('from Alice, relay running')
    await bob.send('from Bob, relay running')
    await alice.expectMessage('from Bob, relay running')

    relay.stop()
    for (const round of [1, 2, 3]) {
      await alice.send(`from Alice, relay frozen ${round}`)
      await bob.expectMessage(`from Alice, relay frozen ${round}`, 2_000)
      await bob.send(`from Bob, relay frozen ${round}`)
      await alice.expectMessage(`from Bob, relay frozen ${round}`, 2_000)
    }
    await alice.expectStatus('from Alice, relay frozen 3', 'Delivered', 'Read')

    relay.continue()
    // What only a relay can do works again: a message for somebody who is gone is taken in.
    await bob.profile.close()
    await alice.send('for Bob, who left')
    await expect(alice.message('for Bob, who left')).toHaveAccessibleDescription(/Sent/, { timeout: 10_000 })
    await alice.expectConnection('Relay')

    bob.page = await bob.profile.open()
    await bob.page.goto(relay.url)
    await bob.openConversation('Alice')
    await bob.expectMessage('for Bob, who left')
    await alice.expectConnection('Direct')
    await alice.expectReceipt('for Bob, who left', 'Read')
  })

  test('both see the same conversation, each message once, in order', async ({ world }) => {
    const { alice, bob } = await introduce(world)
    await alice.expectConnection('Direct')
    const numbers = Array.from({ length: 40 }, (_, index) => String(index + 1).padStart(3, '0'))
    await Promise.all([
      (async () => {
        for (const number of numbers) await alice.submit(`alice-${number}`)
      })(),
      (async () => {
        for (const number of numbers) await bob.submit(`bob-${number}`)
      })(),
    ])
    for (const person of [alice, bob]) {
      await person.expectMessage('alice-040')
      await person.expectMessage('bob-040')
      const texts = (await person.read()).map(({ text }) => /(alice|bob)-\d{3}/.exec(text)?.[0] ?? '')
      for (const sender of ['alice', 'bob']) {
        expect(texts.filter((text) => text.startsWith(sender))).toEqual(numbers.map((number) => `${sender}-${number}`))
      }
    }
  })
})
