import { expect, type Locator, type Page } from '@playwright/test'
import type { Person } from './harness/person.ts'
import { introduce, test } from './harness/scenario.ts'

const openSafety = async ({ page }: Person): Promise<Locator> => {
  await page.getByRole('button', { name: 'Safety number' }).click()
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByRole('list', { name: 'Digits' }).getByRole('listitem')).toHaveCount(12)
  return dialog
}

const digitsOf = async (person: Person): Promise<string> => {
  const dialog = await openSafety(person)
  const groups = await dialog.getByRole('list', { name: 'Digits' }).getByRole('listitem').allInnerTexts()
  await person.page.keyboard.press('Escape')
  return groups.join(' ')
}

/** The code on somebody's screen, photographed with some of what is around it. */
const photographCode = async (person: Person): Promise<Buffer> => {
  const dialog = await openSafety(person)
  const code = dialog.getByRole('img', { name: /QR/ })
  await expect(code).toBeVisible()
  const picture = await code.screenshot({ type: 'png' })
  await person.page.keyboard.press('Escape')
  return picture
}

const lookAtPicture = async ({ page }: Person, buffer: Buffer): Promise<void> =>
  page.getByLabel('Picture of the code').setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer })

const replaceKeys = async ({ page }: Person): Promise<void> => {
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('button', { name: 'Replace device keys…' }).click()
  await page.getByRole('button', { name: 'Replace keys', exact: true }).click()
  await expect(page.getByRole('status').filter({ hasText: 'The keys are new' })).toBeVisible({ timeout: 20_000 })
  await page.keyboard.press('Escape')
}

const notice = (page: Page): Locator =>
  page.getByRole('list', { name: 'Messages' }).getByRole('listitem').filter({ hasText: 'keys have changed' })

const banner = (page: Page): Locator => page.getByRole('alert').filter({ hasText: 'keys have changed' })

test('two people compare their safety numbers, and one replaces the keys', async ({ world }) => {
  test.setTimeout(180_000)
  const { relay, alice, bob } = await introduce(world)
  await alice.send('hello')
  await bob.expectMessage('hello')
  await bob.send('hello to you')
  await alice.expectMessage('hello to you')

  const digits = await digitsOf(alice)
  expect(digits).toMatch(/^\d{5}( \d{5}){11}$/)
  expect(await digitsOf(bob)).toBe(digits)

  // Bob compares by digits, Alice by a picture of Bob's code.
  const ofBob = await openSafety(bob)
  await ofBob.getByRole('button', { name: 'Mark as verified' }).click()
  await expect(ofBob).toContainText('You have verified Alice')
  await bob.page.keyboard.press('Escape')
  await openSafety(alice)
  await lookAtPicture(alice, await photographCode(bob))
  await expect(alice.page.getByRole('status').filter({ hasText: 'The codes match' })).toBeVisible()
  await alice.page.keyboard.press('Escape')
  for (const { page } of [alice, bob]) {
    await expect(page.getByRole('region', { name: 'Conversation', exact: true }).getByTitle('Verified')).toBeVisible()
    await expect(page.getByRole('list', { name: 'Conversations' }).getByTitle('Verified')).toBeVisible()
  }

  await replaceKeys(bob)
  await expect(notice(alice.page)).toBeVisible({ timeout: 30_000 })
  await expect(banner(alice.page)).toBeVisible()
  await alice.send('for Bob, whoever that is')
  await alice.expectStatus('for Bob, whoever that is', 'Waiting')
  // Bob's words arrive: the network is there, and still nothing of Alice's leaves, not even after she closed everything.
  await bob.send('it is me with new keys')
  await alice.expectMessage('it is me with new keys')
  await alice.profile.close()
  alice.page = await alice.profile.open()
  await alice.page.goto(relay.url)
  await alice.openConversation('Bob')
  await expect(banner(alice.page)).toBeVisible()
  await alice.expectStatus('for Bob, whoever that is', 'Waiting')
  await bob.send('still there?')
  await alice.expectMessage('still there?')
  await expect(bob.message('for Bob, whoever that is')).toHaveCount(0)

  await alice.page.getByRole('button', { name: 'Send anyway' }).click()
  await bob.expectMessage('for Bob, whoever that is', 60_000)
  await alice.expectReceipt('for Bob, whoever that is', 'Delivered')
  await expect(alice.page.getByTitle('Verified')).toHaveCount(0)

  // Compared again, Bob is verified again; a code from another conversation would not do.
  await openSafety(alice)
  await lookAtPicture(alice, await photographCode(bob))
  await expect(alice.page.getByRole('status').filter({ hasText: 'The codes match' })).toBeVisible()
})
