import { expect, type Page } from '@playwright/test'
import { introduce, test, type Couple } from './harness/scenario.ts'

/** A browser trusts for half a minute in the room it has found for a database; at some messages a second that many are enough. */
const mostMessages = 2_000

const filling = (number: number): string => `filling-${String(number).padStart(4, '0')}`

/** Allows this page's origin no more than it stores already; returns what gives it the whole disk again. */
const limitStorage = async (page: Page): Promise<() => Promise<unknown>> => {
  const devtools = await page.context().newCDPSession(page)
  const { origin } = new URL(page.url())
  // Less than that, since a database that is tidied up makes room by itself.
  await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 })
  return () => devtools.send('Storage.overrideQuotaForOrigin', { origin })
}

/** Alice writes until a message is refused, which gives its text back; returns that one's number. */
const fillStorage = async ({ alice }: Couple): Promise<number> => {
  const outcomeOf = async (text: string): Promise<'stored' | 'refused' | undefined> => {
    if (await alice.message(text).isVisible()) return 'stored'
    return (await alice.composer.inputValue()) === text ? 'refused' : undefined
  }
  for (let number = 1; number < mostMessages; number++) {
    const text = filling(number)
    await alice.composer.fill(text)
    await alice.composer.press('Enter')
    await expect.poll(() => outcomeOf(text), { intervals: [20] }).toBeDefined()
    if ((await outcomeOf(text)) === 'refused') return number
  }
  throw new Error('the storage did not fill up')
}

/** What was refused stays with Alice, what Bob writes at the relay; with room again both go on without a reload. */
const expectNothingLost = async (
  { alice, bob, relay }: Couple,
  refused: string,
  before: readonly string[],
  makeRoom: () => Promise<unknown>,
): Promise<void> => {
  await expect(alice.composer).toHaveAccessibleDescription(/storage space of this browser is used up\. Make room/)
  await expect(alice.composer).toHaveValue(refused)
  await expect(alice.message(refused)).toHaveCount(0)

  const waiting = ['waits-1', 'waits-2', 'waits-3']
  for (const text of waiting) await bob.send(text)
  // Only what Alice has stored would be called delivered.
  for (const text of waiting) await bob.expectStatus(text, 'Sent')
  await expect(alice.message('waits-')).toHaveCount(0)

  // With Bob gone nobody but the relay can bring them.
  await bob.profile.close()
  await makeRoom()
  // 60 s: the page asks the relay for what it refused after a pause that has grown meanwhile.
  for (const text of waiting) await alice.expectMessage(text, 60_000)
  await expect(alice.composer).toHaveValue(refused)
  await alice.composer.press('Enter')
  await expect(alice.composer).toHaveValue('')
  bob.page = await bob.profile.open()
  await bob.page.goto(relay.url)
  await bob.openConversation('Alice')
  await bob.expectMessage(refused)
  // As it lies on the disk.
  await alice.page.goto(relay.url)
  await alice.openConversation('Bob')
  await alice.expectMessage(refused)
  const words = [...before, ...waiting, refused]
  for (const person of [alice, bob]) {
    const seen = await person.read()
    const counts = words.map((word) => seen.filter(({ text }) => text.includes(word)).length)
    expect(counts, person.name).toEqual(words.map(() => 1))
  }
}

test('an app that is opened on a full storage goes on by itself when there is room', async ({ world }) => {
  const couple = await introduce(world)
  const { alice, bob, relay } = couple
  await alice.send('before')
  await bob.expectMessage('before')
  await alice.profile.close()
  alice.page = await alice.profile.open()
  // A page of the same origin without the app.
  await alice.page.goto(`${relay.url}/readyz`)
  const makeRoom = await limitStorage(alice.page)
  await alice.page.goto(relay.url)
  await alice.openConversation('Bob')
  await alice.expectMessage('before')
  await alice.composer.fill('kept here')
  await alice.composer.press('Enter')
  await expectNothingLost(couple, 'kept here', ['before'], makeRoom)
})

test('a storage that fills up while the app runs loses nothing @slow', async ({ world }) => {
  test.setTimeout(300_000)
  const couple = await introduce(world)
  const makeRoom = await limitStorage(couple.alice.page)
  const refused = await fillStorage(couple)
  const before = Array.from({ length: refused - 1 }, (_, index) => filling(index + 1))
  await expectNothingLost(couple, filling(refused), before, makeRoom)
})
