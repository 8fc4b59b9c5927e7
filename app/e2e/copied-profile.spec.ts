import { cpSync } from 'node:fs'
import { expect } from '@playwright/test'
import { writeHistory } from './harness/history.ts'
import { Person } from './harness/person.ts'
import { introduce, test } from './harness/scenario.ts'

test('a copied profile notices that it is old before it sends anything', async ({ world }) => {
  const { relay, alice, bob } = await introduce(world)
  await alice.send('before the copy')
  await bob.expectMessage('before the copy')
  await alice.profile.close()
  const copied = world.profile()
  cpSync(alice.profile.directory, copied.directory, { recursive: true })

  alice.page = await alice.profile.open()
  await alice.page.goto(relay.url)
  await alice.openConversation('Bob')
  await writeHistory(alice, 100, () => undefined)
  await bob.expectMessage('history 99:')
  await alice.expectStatus('history 99:', 'Delivered', 'Read')
  await alice.profile.close()

  const copy = new Person(await copied.open(), 'Alice')
  await copy.page.goto(relay.url)
  await copy.openConversation('Bob')
  await copy.expectMessage('before the copy')
  await copy.submit('written in the copy')
  await expect(copy.page.getByText(/older copy of your profile/i)).toBeVisible()
  await bob.expectMessage('written in the copy')
  await copy.expectStatus('written in the copy', 'Delivered', 'Read')
  await bob.send('an answer to the copy')
  await copy.expectMessage('an answer to the copy')
  const texts = (await bob.read()).flatMap(
    ({ text }) => /before the copy|history \d+|written in the copy|an answer to the copy/.exec(text)?.[0] ?? [],
  )
  const history = Array.from({ length: 100 }, (_, index) => `history ${index}`)
  expect(texts).toEqual(['before the copy', ...history, 'written in the copy', 'an answer to the copy'])
})
