import { expect, type Page } from '@playwright/test'
import { messageList } from './harness/message-list.ts'
import { test } from './harness/scenario.ts'
import { wrongClock } from './harness/wrong-clock.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Every time the page shows, as machines read it. */
const times = (page: Page): Promise<number[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll('time[datetime]')].map((time) => Date.parse((time as HTMLTimeElement).dateTime)),
  )

test('a contact whose clock is an hour ahead, then a day behind, then a day ahead', async ({ world }) => {
  const relay = await world.relay()
  let aheadMs = hourMs
  const [alice, bob] = await Promise.all([
    world.person('Alice'),
    world.person('Bob', { prepare: (context) => wrongClock(aheadMs)(context) }),
  ])
  await alice.onboard(relay.url)
  await bob.acceptAsNewcomer(await alice.invite())
  expect(await bob.page.evaluate(() => Date.now())).toBeGreaterThan(Date.now() + hourMs * 0.9)
  await alice.openConversation('Bob')
  const said = ['one from Bob', 'two from Alice', 'three from Bob', 'four from Alice']
  for (const text of said) {
    const [speaker, listener] = text.endsWith('Bob') ? [bob, alice] : [alice, bob]
    await speaker.send(text)
    await listener.expectMessage(text)
  }
  for (const person of [alice, bob]) {
    const order = (await messageList(person.page).getByRole('listitem').allInnerTexts()).flatMap(
      (text) => /(one|two|three|four) from (Alice|Bob)/.exec(text)?.[0] ?? [],
    )
    expect(order, `order on ${person.name}'s screen`).toEqual(said)
  }
  const shown = await times(alice.page)
  expect(shown.length).toBeGreaterThan(0)
  // A minute, because times are shown without seconds.
  for (const time of shown) expect(time).toBeLessThanOrEqual(Date.now() + 60_000)

  for (const [jumpedMs, waits, answer] of [
    [-dayMs, 'five from Alice', 'six from Bob'],
    [dayMs, 'seven from Alice', 'eight from Bob'],
  ] as const) {
    await bob.profile.close()
    await alice.send(waits)
    aheadMs = jumpedMs
    bob.page = await bob.profile.open()
    await bob.page.goto(relay.url)
    await bob.openConversation('Alice')
    await bob.expectMessage(waits)
    await bob.send(answer)
    await alice.expectMessage(answer)
    await alice.expectReceipt(waits, 'Read')
  }
  for (const person of [alice, bob]) {
    const seen = (await person.read()).flatMap(({ text }) => /\w+ from (?:Alice|Bob)/.exec(text)?.[0] ?? [])
    const from = (name: string): string[] => seen.filter((text) => text.endsWith(name))
    expect(from('Alice'), person.name).toEqual([
      'two from Alice',
      'four from Alice',
      'five from Alice',
      'seven from Alice',
    ])
    expect(from('Bob'), person.name).toEqual(['one from Bob', 'three from Bob', 'six from Bob', 'eight from Bob'])
  }
})
