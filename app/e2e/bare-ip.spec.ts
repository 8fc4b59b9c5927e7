import { join } from 'node:path'
import { expect } from '@playwright/test'
import { AppHost } from './harness/app-host.ts'
import { browserIn, relayHost, SmallInternet, whyNoNamespaces } from './harness/namespaces.ts'
import { relayAddresses } from './harness/relay-addresses.ts'
import { test } from './harness/scenario.ts'

const reason = whyNoNamespaces()

test('a relay on a bare address is reached by webrtc-direct alone', async ({ world }) => {
  test.skip(reason !== undefined, reason)
  const internet = world.keep(SmallInternet.build(), (built) => built.remove())
  const relay = await world.relay({ host: relayHost, namespace: internet.internet, servesApp: false })
  const isDirect = (address: string): boolean => address.includes('/webrtc-direct/')
  const address = (await relayAddresses(relay)).find(isDirect) ?? ''
  expect(address).toContain(`/ip4/${relayHost}/udp/`)

  const machine = internet.machine('desk')
  const host = world.keep(await AppHost.start(machine), (started) => started.close())
  const executable = await browserIn(machine, join(world.directory, 'browser'))
  const [alice, bob] = await Promise.all([world.person('Alice', { executable }), world.person('Bob', { executable })])
  await alice.onboard(`${host.url}/#relay=${address}`)
  await bob.acceptAsNewcomer(await alice.invite())
  await alice.openConversation('Bob')
  await alice.send('by a bare address')
  await bob.expectMessage('by a bare address')
  await alice.expectConnection('Direct')

  await relay.kill()
  await relay.start()
  // The certificate is kept: the address people hold still fits.
  expect((await relayAddresses(relay)).find(isDirect)).toBe(address)
  await bob.profile.close()
  await alice.send('after the restart')
  await alice.expectStatus('after the restart', 'Sent')
  bob.page = await bob.profile.open()
  await bob.page.goto(host.url)
  await bob.openConversation('Alice')
  await bob.expectMessage('after the restart')
  await bob.send('answer')
  await alice.expectMessage('answer')
})
