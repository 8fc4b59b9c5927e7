import { expect, type Page } from '@playwright/test'
import type { Person } from './harness/person.ts'
import { introduce, test } from './harness/scenario.ts'

/** The header of the conversation, where it says whether the other one is there. */
const header = ({ page }: Person) => page.getByRole('region', { name: 'Conversation', exact: true }).locator('header')

/** As if the person looked at another tab: a browser without a screen hides none by itself. */
const hide = (page: Page, hidden: boolean): Promise<void> =>
  page.evaluate((isHidden) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, value: isHidden ? 'hidden' : 'visible' })
    document.dispatchEvent(new Event('visibilitychange'))
  }, hidden)

const turn = async ({ page }: Person, name: RegExp): Promise<void> => {
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('switch', { name }).click()
  await page.keyboard.press('Escape')
}

test('who is there, away, writing or gone is shown while it is so; and not at all to who does not tell', async ({
  world,
}) => {
  const { relay, alice, bob } = await introduce(world)
  await alice.expectConnection('Direct')
  await expect(header(alice)).toContainText('Online')
  await expect(header(bob)).toContainText('Online')
  await expect(alice.conversations.getByRole('listitem').filter({ hasText: 'Bob' })).toContainText('Online')

  await bob.composer.pressSequentially('hm')
  await expect(alice.page.getByText('Bob is writing')).toBeVisible()
  // Five seconds after the last that was told.
  await expect(alice.page.getByText('Bob is writing')).toBeHidden({ timeout: 8_000 })

  await hide(bob.page, true)
  await expect(header(alice)).toContainText('Away')
  await hide(bob.page, false)
  await expect(header(alice)).toContainText('Online')

  await turn(bob, /when I am here/)
  await expect(header(alice)).not.toContainText(/Online|Away|Last seen/)
  await expect(header(bob)).not.toContainText(/Online|Away|Last seen/)
  await turn(bob, /when I am here/)
  await expect(header(alice)).toContainText('Online')
  await expect(header(bob)).toContainText('Online')

  // Killed without a word: the link is found dead within seconds, and with it what it told.
  await bob.profile.kill()
  await expect(header(alice)).toContainText('Last seen', { timeout: 15_000 })
  await expect(header(alice)).not.toContainText('Online')
  bob.page = await bob.profile.open()
  await bob.page.goto(relay.url)
  await bob.openConversation('Alice')
  await expect(header(alice)).toContainText('Online', { timeout: 20_000 })
  await expect(header(bob)).toContainText('Online')
})
