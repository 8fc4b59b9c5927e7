import { expect } from '@playwright/test'
import { HeldUpgrade } from './harness/held-upgrade.ts'
import { databaseShape, makeDatabaseOlder } from './harness/older-database.ts'
import { test } from './harness/scenario.ts'

/** From version 1 nine tables are made; the call after them is the first of the upgraded database. */
const kills = [
  { stop: 0, at: 'createObjectStore' },
  { stop: 2, at: 'createObjectStore' },
  { stop: 4, at: 'createObjectStore' },
  { stop: 8, at: 'createObjectStore' },
  { stop: 9, at: 'transaction' },
]

test('the browser is killed again and again while it upgrades the oldest database', async ({ world }) => {
  const relay = await world.relay()
  const upgrade = new HeldUpgrade()
  const [alice, bob] = await Promise.all([world.person('Alice', { prepare: upgrade.prepare }), world.person('Bob')])
  await alice.onboard(relay.url)
  await bob.acceptAsNewcomer(await alice.invite())
  await alice.openConversation('Bob')
  const said = ['one from Alice', 'two from Bob', 'three from Alice']
  for (const text of said) {
    const [speaker, listener] = text.endsWith('Alice') ? [alice, bob] : [bob, alice]
    await speaker.send(text)
    await listener.expectMessage(text)
  }
  // A page of the same origin without the app.
  await alice.page.goto(`${relay.url}/readyz`)
  const current = await databaseShape(alice.page)
  await makeDatabaseOlder(alice.page, 1)
  expect((await databaseShape(alice.page)).version).toBe(1)
  await alice.profile.close()
  // Waits at the relay meanwhile.
  await bob.send('four from Bob')

  for (const { stop, at } of kills) {
    upgrade.stop = stop
    alice.page = await alice.profile.open()
    await alice.page.goto(relay.url)
    // Had a killed upgrade left anything behind, this one would not stand where the first one stood.
    expect(await upgrade.held, `stop ${stop}`).toBe(at)
    await alice.profile.kill()
  }

  upgrade.stop = undefined
  alice.page = await alice.profile.open()
  await alice.page.goto(relay.url)
  await alice.openConversation('Bob')
  await alice.expectMessage('four from Bob')
  // To its relay this is an older copy, since version 1 counted nothing; that is another matter, and everything goes on.
  await alice.send('five from Alice')
  await bob.expectMessage('five from Alice')
  await bob.send('six from Bob')
  await alice.expectMessage('six from Bob')
  const seen = (await alice.read()).flatMap(({ text }) => /\w+ from (Alice|Bob)/.exec(text)?.[0] ?? [])
  expect(seen).toEqual([...said, 'four from Bob', 'five from Alice', 'six from Bob'])
  await alice.page.goto(`${relay.url}/readyz`)
  expect(await databaseShape(alice.page)).toEqual(current)
})
