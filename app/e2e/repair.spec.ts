import { expect, type Page } from '@playwright/test'
import { introduce, test } from './harness/scenario.ts'

/** Takes every session out of the profile's database, on a page of the same origin where the app does not run. */
const deleteSessions = (page: Page): Promise<number> =>
  page.evaluate(async () => {
    const wanted = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.addEventListener('success', () => resolve(request.result))
        request.addEventListener('error', () => reject(request.error ?? new Error('request failed')))
      })
    const database = await wanted(indexedDB.open('sotto'))
    const sessions = database.transaction('sessions', 'readwrite', { durability: 'strict' }).objectStore('sessions')
    const count = await wanted(sessions.count())
    await wanted(sessions.clear())
    database.close()
    return count
  })

test('a session that one side has lost is replaced with the next message, and nobody does anything', async ({
  world,
}) => {
  const { relay, alice, bob } = await introduce(world)
  await alice.send('before')
  await bob.expectMessage('before')
  await bob.send('answer')
  await alice.expectMessage('answer')
  await alice.expectReceipt('before', 'Delivered')

  await bob.page.goto(new URL('/relay.json', relay.url).href)
  expect(await deleteSessions(bob.page)).toBeGreaterThan(0)
  for (const text of ['after-1', 'after-2']) {
    await alice.send(text)
    await alice.expectStatus(text, 'Sent')
  }
  await bob.page.goto(relay.url)
  await bob.openConversation('Alice')
  for (const text of ['after-1', 'after-2']) await bob.expectMessage(text, 60_000)
  const received = (await bob.read()).map(({ text }) => /before|after-\d/.exec(text)?.[0])
  expect(received.filter((text) => text !== undefined)).toEqual(['before', 'after-1', 'after-2'])

  await bob.send('healed')
  await alice.expectMessage('healed')
  for (const text of ['after-1', 'after-2']) await alice.expectReceipt(text, 'Read')
})
