import { expect } from '@playwright/test'
import { writeHistory } from './harness/history.ts'
import { messageList } from './harness/message-list.ts'
import { introduce, test } from './harness/scenario.ts'

const count = 10_000
/** Rows that exist at once, whatever the length of the conversation: two tall screens and what is kept beyond the edges. */
const mostRows = 120

test('a history of ten thousand messages @slow', async ({ world }) => {
  test.setTimeout(3_600_000)
  const { relay, alice, bob } = await introduce(world)
  await writeHistory(alice, count, (written) => console.log(`    ${written} of ${count} written`))
  const last = `history ${count - 1}:`
  await bob.expectMessage(last, 600_000)

  for (const person of [alice, bob]) {
    await person.profile.close()
    person.page = await person.profile.open()
    await person.page.goto(relay.url)
    await person.openConversation(person === alice ? 'Bob' : 'Alice')
    await person.expectMessage(last)
    expect(await messageList(person.page).getByRole('listitem').count()).toBeLessThan(mostRows)
    const numbers = (await person.read()).flatMap(({ text }) => {
      const number = /history (\d+):/.exec(text)?.[1]
      return number === undefined ? [] : [Number(number)]
    })
    expect(numbers).toEqual(Array.from({ length: count }, (_, index) => index))
  }
})
