import { join } from 'node:path'
import { AppHost } from './app-host.ts'
import { browserIn, relayHost, relayName, SmallInternet } from './namespaces.ts'
import type { Person } from './person.ts'
import type { Profile } from './profile.ts'
import { relayAddresses } from './relay-addresses.ts'
import type { RelayProcess } from './relay-process.ts'
import type { World } from './scenario.ts'

export interface Neighbours {
  readonly internet: SmallInternet
  /** Namespaces of the two homes. */
  readonly homes: { readonly alice: string; readonly bob: string }
  readonly relay: RelayProcess
  readonly alice: Person & { profile: Profile }
  readonly bob: Person & { profile: Profile }
}

/** Alice and Bob, each behind a router of their own, the relay between them; met by an invite, conversation open. */
export const twoHomes = async (
  world: World,
  prepare: (internet: SmallInternet) => void = () => undefined,
): Promise<Neighbours> => {
  const internet = world.keep(SmallInternet.build(), (built) => built.remove())
  await internet.name(relayHost)
  prepare(internet)
  const relay = await world.relay({ host: relayHost, namespace: internet.internet, servesApp: false })
  const numeric = (await relayAddresses(relay)).find((candidate) => candidate.includes('/ws/')) ?? ''
  const address = numeric.replace(`/ip4/${relayHost}/`, `/dns4/${relayName}/`)
  const homes = { alice: internet.home('alice'), bob: internet.home('bob') }
  const settle = async (
    name: string,
    home: string,
  ): Promise<{ person: Person & { profile: Profile }; url: string }> => {
    const host = world.keep(await AppHost.start(home), (started) => started.close())
    const executable = await browserIn(home, join(world.directory, `browser-${name}`))
    return { person: await world.person(name, { executable }), url: `${host.url}/#relay=${address}` }
  }
  const { person: alice, url } = await settle('Alice', homes.alice)
  const { person: bob } = await settle('Bob', homes.bob)
  await alice.onboard(url)
  await bob.acceptAsNewcomer(await alice.invite())
  await alice.openConversation('Bob')
  return { internet, homes, relay, alice, bob }
}
