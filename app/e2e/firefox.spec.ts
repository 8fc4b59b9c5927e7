import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from '@playwright/test'
import { FirefoxPerson } from './harness/firefox-person.ts'
import { Firefox, whyNoFirefox } from './harness/firefox.ts'
import { neighbourhood, personIn } from './harness/homes.ts'
import { whyNoNamespaces } from './harness/namespaces.ts'
import { test, type World } from './harness/scenario.ts'

const reason = whyNoNamespaces() ?? whyNoFirefox()

/** Alice in Chromium and Bob in Firefox, each behind a router of their own; met by an invite, conversation open. */
const mixedCouple = async (world: World) => {
  const { relay, home } = await neighbourhood(world)
  const { namespace: aliceAt, url } = await home('alice')
  const { namespace: bobAt } = await home('bob')
  const alice = await personIn(world, aliceAt, 'Alice')
  await alice.onboard(url)
  const directory = join(world.directory, 'firefox')
  await mkdir(directory)
  const firefox = world.keep(await Firefox.in(bobAt, directory), (one) => one.end())
  const bob = new FirefoxPerson(await firefox.open(), 'Bob')
  await bob.acceptAsNewcomer(await alice.invite())
  await alice.openConversation('Bob')
  return { relay, alice, bob, firefox, home: url.slice(0, url.indexOf('#')) }
}

test('Chromium and Firefox hold a conversation, directly and while one of them is away', async ({ world }) => {
  test.skip(reason !== undefined, reason)
  // Firefox takes several seconds to start, and does so twice.
  test.setTimeout(240_000)
  const { relay, alice, bob, firefox, home } = await mixedCouple(world)
  await alice.send('to Firefox')
  await bob.expectMessage('to Firefox')
  await bob.send('to Chromium')
  await alice.expectMessage('to Chromium')

  await alice.expectConnection('Direct')
  await bob.expectConnection('Direct')
  relay.stop()
  await alice.send('to Firefox, directly')
  await bob.expectMessage('to Firefox, directly', 2_000)
  await bob.send('to Chromium, directly')
  await alice.expectMessage('to Chromium, directly', 2_000)
  relay.continue()

  await firefox.kill()
  await alice.send('while Firefox is away')
  bob.page = await firefox.open()
  await bob.page.goto(home)
  await bob.openConversation('Alice')
  await bob.expectMessage('while Firefox is away')

  await alice.profile.kill()
  await bob.send('while Chromium is away')
  alice.page = await alice.profile.open()
  await alice.page.goto(home)
  await alice.openConversation('Bob')
  await alice.expectMessage('while Chromium is away')

  const expected = [
    ...['to Firefox', 'to Chromium', 'to Firefox, directly', 'to Chromium, directly'],
    ...['while Firefox is away', 'while Chromium is away'],
  ]
  for (const texts of [(await alice.read()).map(({ text }) => text), await bob.texts()]) {
    expect(texts).toHaveLength(expected.length)
    for (const [index, text] of expected.entries()) expect(texts[index]).toContain(text)
  }
})
