import { expect } from '@playwright/test'
import { Person } from './harness/person.ts'
import { processorSeconds, renderersOf, signalAll } from './harness/processes.ts'
import { introduce, test, type Couple } from './harness/scenario.ts'

/** One more tab of the same profile, with the conversation open. */
const openSecond = async ({ relay, alice }: Couple): Promise<Person> => {
  const page = await alice.profile.context.newPage()
  await page.goto(relay.url)
  const second = new Person(page, 'Alice')
  await second.openConversation('Bob')
  return second
}

/**
 * Until these processes do nothing. A tab that is stopped in the very middle of a transaction keeps the database locked until
 * the browser gives up on it (a minute), and no other tab can help that.
 */
const atRest = async (pids: readonly number[]): Promise<void> => {
  let before = -1
  await expect
    .poll(
      () => {
        const [earlier, now] = [before, processorSeconds(pids)]
        before = now
        return now - earlier
      },
      { intervals: [500] },
    )
    .toBeLessThan(0.02)
}

const written = async (reader: Person, pattern: RegExp): Promise<string[]> =>
  (await reader.read()).flatMap(({ text }) => pattern.exec(text)?.[0] ?? [])

test('two tabs show the same conversation, and both can be written in', async ({ world }) => {
  const couple = await introduce(world)
  const { alice, bob } = couple
  await alice.send('from the first tab')
  const second = await openSecond(couple)
  await second.expectMessage('from the first tab')
  await second.send('from the second tab')
  await alice.expectMessage('from the second tab')
  await bob.send('an answer to both')
  for (const tab of [alice, second]) await tab.expectMessage('an answer to both')
  await alice.send('from the first tab again')
  await bob.expectMessage('from the first tab again')
  for (const tab of [alice, second]) await tab.expectStatus('from the first tab again', 'Delivered', 'Read')
  const all = ['from the first tab', 'from the second tab', 'from the first tab again']
  for (const reader of [alice, second, bob])
    expect(await written(reader, /from the (first|second) tab( again)?/)).toEqual(all)
})

test('the leading tab is closed while it sends: what it showed arrives, and the other goes on', async ({ world }) => {
  const couple = await introduce(world)
  const { alice, bob } = couple
  const second = await openSecond(couple)
  for (let number = 1; number <= 20; number++) await alice.submit(`closing ${number}.`)
  // Shown is stored, whether it has left or not.
  await alice.expectMessage('closing 20.')
  await alice.page.close()
  await second.send('the other tab goes on')
  await bob.expectMessage('the other tab goes on', 10_000)
  const numbers = Array.from({ length: 20 }, (_, index) => `closing ${index + 1}.`)
  await expect.poll(() => written(bob, /closing \d+\./), { timeout: 20_000 }).toEqual(numbers)
})

test('the leading tab is stopped: another sends within two seconds, and the first is refused when it wakes', async ({
  world,
}) => {
  const couple = await introduce(world)
  const { alice, bob } = couple
  const leader = renderersOf(alice.profile.processes())
  const second = await openSecond(couple)
  await second.send('both are well')
  for (const tab of [alice, second]) await tab.expectStatus('both are well', 'Read')
  await atRest(leader)

  signalAll(leader, 'SIGSTOP')
  const startedMs = Date.now()
  await second.submit('the first tab is stopped')
  await second.expectStatus('the first tab is stopped', 'Sent', 'Delivered', 'Read')
  const tookMs = Date.now() - startedMs
  console.log(`    sent ${tookMs} ms after Enter`)
  await bob.expectMessage('the first tab is stopped')
  await bob.send('an answer meanwhile')
  await second.expectMessage('an answer meanwhile')

  signalAll(leader, 'SIGCONT')
  // It finds that another tab leads, becomes a view, and both go on.
  await alice.expectMessage('an answer meanwhile')
  await alice.send('awake again')
  await bob.expectMessage('awake again')
  await second.expectMessage('awake again')
  const all = ['both are well', 'the first tab is stopped', 'awake again']
  for (const reader of [alice, second, bob])
    expect(await written(reader, /both are well|the first tab is stopped|awake again/)).toEqual(all)
})
