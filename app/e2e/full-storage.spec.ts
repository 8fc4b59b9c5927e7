import { expect, type Page } from '@playwright/test'
import type { Person } from './harness/person.ts'
import { introduce, test } from './harness/scenario.ts'

/** What may still be stored: enough to write on for a while, little enough to be full within some messages. */
const roomBytes = 20_000

/** 4 KB, and a word by which each is found. */
const word = (number: number): string => `filling-${String(number).padStart(2, '0')}`
const longText = (number: number): string => `${word(number)} ${'and so on '.repeat(400)}`.trim()

/** Holds this page's origin to what it stores now and a little more; returns what gives it the whole disk again. */
const limitStorage = async (page: Page): Promise<() => Promise<unknown>> => {
  const devtools = await page.context().newCDPSession(page)
  const { origin } = new URL(page.url())
  const { usage } = await devtools.send('Storage.getUsageAndQuota', { origin })
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + roomBytes })
  return () => devtools.send('Storage.overrideQuotaForOrigin', { origin })
}

/** Writes until a message is refused; returns that one's number. The browser looks at the allowance now and then only. */
const fillStorage = async (person: Person): Promise<number> => {
  const refused = person.composer.and(person.page.locator('[aria-describedby]'))
  for (let number = 1; number < 100; number++) {
    await person.composer.fill(longText(number))
    await person.composer.press('Enter')
    await expect(person.message(word(number)).or(refused).first()).toBeVisible()
    if (await refused.isVisible()) return number
  }
  throw new Error('the storage did not fill up')
}

/** How often each of these words stands in the conversation. */
const counts = async (person: Person, words: readonly string[]): Promise<number[]> => {
  const seen = await person.read()
  return words.map((one) => seen.filter(({ text }) => text.includes(one)).length)
}

test('a full storage loses nothing, says what to do, and goes on by itself when there is room', async ({ world }) => {
  const { alice, bob, relay } = await introduce(world)
  await alice.send('before')
  await bob.expectMessage('before')
  const makeRoom = await limitStorage(alice.page)
  const refused = await fillStorage(alice)

  await expect(alice.composer).toHaveAccessibleDescription(/storage space of this browser is used up\. Make room/)
  await expect(alice.composer).toHaveValue(longText(refused))
  await expect(alice.message(word(refused))).toHaveCount(0)

  const waiting = ['waits-1', 'waits-2', 'waits-3']
  for (const text of waiting) await bob.send(text)
  // Refused by Alice's page and so left at the relay; only what she stored would be called delivered.
  for (const text of waiting) await bob.expectStatus(text, 'Sent')
  // She is told of what she cannot take, too.
  const notice = alice.page.getByRole('alert').filter({ hasText: 'what others send you waits' })
  await expect(notice.last()).toBeVisible()
  await expect(alice.message('waits-')).toHaveCount(0)

  // With Bob gone nobody but the relay can bring them.
  await bob.profile.close()
  await makeRoom()
  // 60 s: the page asks the relay for what it refused after a pause that has grown meanwhile.
  for (const text of waiting) await alice.expectMessage(text, 60_000)
  await expect(alice.composer).toHaveValue(longText(refused))
  await alice.composer.press('Enter')
  await expect(alice.composer).toHaveValue('')
  bob.page = await bob.profile.open()
  await bob.page.goto(relay.url)
  await bob.openConversation('Alice')
  await bob.expectMessage(word(refused))

  const words = ['before', ...waiting, ...Array.from({ length: refused }, (_, index) => word(index + 1))]
  const once = words.map(() => 1)
  expect(await counts(bob, words)).toEqual(once)
  // As it lies on the disk.
  await alice.page.goto(relay.url)
  await alice.openConversation('Bob')
  await alice.expectMessage(word(refused))
  expect(await counts(alice, words)).toEqual(once)
})
