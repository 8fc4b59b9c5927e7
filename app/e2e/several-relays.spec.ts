import { rm } from 'node:fs/promises'
import { expect } from '@playwright/test'
import type { Person } from './harness/person.ts'
import type { RelayProcess } from './harness/relay-process.ts'
import { test, type World } from './harness/scenario.ts'

/** Browsers that connect by what goes through a relay alone, so that no direct link hides what relays do. */
const withoutLinks = {
  extraArguments: [
    '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
    '--webrtc-ip-handling-policy=disable_non_proxied_udp',
  ],
}

/** A living relay must be enough within this, whatever has happened to another one. */
const soonMs = 10_000

/** Its process is killed and what it had stored is gone for good. */
const destroy = async (relay: RelayProcess): Promise<void> => {
  await relay.kill()
  await rm(relay.dataDirectory, { recursive: true })
}

/** Somebody who opens another one's invite at the relay where they mean to live. */
const acceptAt = (person: Person, relay: RelayProcess, link: string): Promise<void> =>
  person.acceptAsNewcomer(`${relay.url}/${link.slice(link.indexOf('#'))}`)

const both = (world: World) => Promise.all([world.person('Alice', withoutLinks), world.person('Bob', withoutLinks)])

const expectOnce = async (person: Person, texts: readonly string[]): Promise<void> => {
  const seen = (await person.read()).map(({ text }) => text)
  for (const text of texts)
    expect(
      seen.filter((one) => one.includes(text)),
      text,
    ).toHaveLength(1)
}

test.describe('several relays', () => {
  test('one of two relays is destroyed in the middle of a conversation, and nobody notices', async ({ world }) => {
    const first = await world.relay()
    const second = await world.relay()
    const [alice, bob] = await both(world)
    await alice.onboard(first.url)
    await alice.addRelay(second.url)
    await acceptAt(bob, second, await alice.invite())
    await alice.openConversation('Bob')
    const texts: string[] = []
    const say = async (from: Person, to: Person, text: string): Promise<void> => {
      texts.push(text)
      await from.send(text)
      await to.expectMessage(text, soonMs)
    }
    for (const number of [1, 2, 3]) {
      await say(alice, bob, `before, from Alice ${number}`)
      await say(bob, alice, `before, from Bob ${number}`)
    }
    await bob.send('just before')
    const gone = destroy(first)
    await bob.send('just then, from Bob')
    await alice.send('just then, from Alice')
    await gone
    await alice.expectMessage('just before', soonMs)
    await alice.expectMessage('just then, from Bob', soonMs)
    await bob.expectMessage('just then, from Alice', soonMs)
    for (const number of [1, 2, 3]) {
      await say(bob, alice, `after, from Bob ${number}`)
      await say(alice, bob, `after, from Alice ${number}`)
    }
    await alice.expectReceipt('after, from Alice 3', 'Delivered')
    await bob.expectReceipt('after, from Bob 3', 'Delivered')
    for (const person of [alice, bob]) {
      await expectOnce(person, [...texts, 'just before', 'just then, from Bob', 'just then, from Alice'])
      await person.expectConnection('Relay')
    }
  })

  test('somebody moves away from a relay that is gone, and contacts go on without doing anything', async ({
    world,
  }) => {
    const old = await world.relay()
    const bobs = await world.relay()
    const fresh = await world.relay()
    const [alice, bob] = await both(world)
    await alice.onboard(old.url)
    await acceptAt(bob, bobs, await alice.invite())
    await alice.openConversation('Bob')
    await alice.send('from the old relay')
    await bob.expectMessage('from the old relay')
    await bob.send('to the old relay')
    await alice.expectMessage('to the old relay')

    await destroy(old)
    await bob.send('while it is gone')
    await alice.moveRelay(fresh.url)
    await alice.expectMessage('while it is gone', soonMs)
    await alice.send('from the new relay')
    await bob.expectMessage('from the new relay', soonMs)
    await bob.send('to the new relay')
    await alice.expectMessage('to the new relay', soonMs)
    for (const person of [alice, bob]) {
      await expectOnce(person, ['to the old relay', 'while it is gone', 'from the new relay', 'to the new relay'])
    }
  })
})
