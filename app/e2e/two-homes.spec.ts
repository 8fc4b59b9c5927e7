import { join } from 'node:path'
import { AppHost } from './harness/app-host.ts'
import { browserIn, relayHost, SmallInternet, whyNoNamespaces } from './harness/namespaces.ts'
import { relayAddresses } from './harness/relay-addresses.ts'
import { test } from './harness/scenario.ts'

const reason = whyNoNamespaces()

test('two homes behind masquerading routers connect directly', async ({ world }) => {
  test.skip(reason !== undefined, reason)
  const internet = world.keep(SmallInternet.build(), (built) => built.remove())
  const relay = await world.relay({ host: relayHost, namespace: internet.internet, servesApp: false })
  const address = (await relayAddresses(relay)).find((candidate) => candidate.includes('/ws/')) ?? ''

  const people = await Promise.all(
    ['Alice', 'Bob'].map(async (name) => {
      const home = internet.home(name.toLowerCase())
      const host = world.keep(await AppHost.start(home), (started) => started.close())
      const executable = await browserIn(home, join(world.directory, `browser-${name}`))
      return { person: await world.person(name, { executable }), url: `${host.url}/#relay=${address}` }
    }),
  )
  const [alice, bob] = people.map(({ person }) => person)
  if (alice === undefined || bob === undefined) throw new Error('two people are needed')
  await alice.onboard(people[0]?.url ?? '')
  await bob.acceptAsNewcomer(await alice.invite())
  await alice.openConversation('Bob')
  await alice.expectConnection('Direct')
  await bob.expectConnection('Direct')
  relay.stop()
  await alice.send('over the fence')
  await bob.expectMessage('over the fence', 2_000)
  await bob.send('and back')
  await alice.expectMessage('and back', 2_000)
  relay.continue()
})
