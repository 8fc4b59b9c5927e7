import { expect, type Page } from '@playwright/test'
import { Person } from './harness/person.ts'
import { introduce, test } from './harness/scenario.ts'

const useHere = (page: Page) => page.getByRole('button', { name: /use here/i })

test('a second tab hands over, and back', async ({ world }) => {
  const { relay, alice, bob } = await introduce(world)
  await alice.send('from the first tab')
  await bob.expectMessage('from the first tab')

  const secondPage = await alice.profile.context.newPage()
  await secondPage.goto(relay.url)
  await expect(useHere(secondPage)).toBeVisible()
  await expect(secondPage.getByText(/another tab/i).first()).toBeVisible()
  await expect(alice.composer).toBeVisible()

  await useHere(secondPage).click()
  const second = new Person(secondPage, 'Alice')
  await second.openConversation('Bob')
  await second.expectMessage('from the first tab')
  await expect(useHere(alice.page)).toBeVisible()
  await second.send('from the second tab')
  await bob.expectMessage('from the second tab')
  await bob.send('answer to the second tab')
  await second.expectMessage('answer to the second tab')

  await useHere(alice.page).click()
  await expect(useHere(secondPage)).toBeVisible()
  await alice.openConversation('Bob')
  await alice.expectMessage('answer to the second tab')
  await alice.send('from the first tab again')
  await bob.expectMessage('from the first tab again')

  const own = (await bob.read()).map(({ text }) => /from the (first|second) tab( again)?/.exec(text)?.[0])
  expect(own.filter((text) => text !== undefined)).toEqual([
    'from the first tab',
    'from the second tab',
    'from the first tab again',
  ])
})

test('the tab left over goes on by itself when the leading one closes', async ({ world }) => {
  const { relay, alice, bob } = await introduce(world)
  const secondPage = await alice.profile.context.newPage()
  await secondPage.goto(relay.url)
  await expect(useHere(secondPage)).toBeVisible()
  await alice.page.close()
  await expect(secondPage.getByRole('list', { name: 'Conversations' })).toBeVisible()
  const second = new Person(secondPage, 'Alice')
  await second.openConversation('Bob')
  await second.send('from the tab left over')
  await bob.expectMessage('from the tab left over')
})
