import { expect } from '@playwright/test'
import { introduce, test } from './harness/scenario.ts'

test('200 messages wait at the relay for somebody who is away', async ({ world }) => {
  const { relay, alice, bob } = await introduce(world)
  await alice.send('before')
  await bob.expectMessage('before')
  await bob.profile.close()

  const texts = Array.from({ length: 200 }, (_, index) => `while-away-${String(index + 1).padStart(3, '0')}`)
  for (const text of texts) await alice.submit(text)
  await alice.expectStatus('while-away-200', 'Sent')
  await expect
    .poll(async () => (await alice.read()).filter(({ description }) => description.includes('Waiting')).length, {
      timeout: 30_000,
    })
    .toBe(0)
  await alice.profile.close()

  bob.page = await bob.profile.open()
  await bob.page.goto(relay.url)
  // In the list before they are looked at: all of them are here, unread.
  await expect(bob.conversations.getByRole('listitem').filter({ hasText: 'Alice' })).toContainText('200')

  alice.page = await alice.profile.open()
  await alice.page.goto(relay.url)
  await alice.openConversation('Bob')
  const statuses = async (): Promise<string[]> => {
    const messages = (await alice.read()).filter(({ text }) => text.includes('while-away-'))
    return [...new Set(messages.map(({ description }) => /Waiting|Sent|Delivered|Read/.exec(description)?.[0] ?? '?'))]
  }
  await expect.poll(statuses, { timeout: 45_000 }).toEqual(['Delivered'])

  await bob.openConversation('Alice')
  await bob.expectMessage('while-away-200')
  const received = (await bob.read()).map(({ text }) => /while-away-\d{3}/.exec(text)?.[0])
  expect(received.filter((text) => text !== undefined)).toEqual(texts)
  await expect.poll(statuses, { timeout: 45_000 }).toEqual(['Read'])
})
