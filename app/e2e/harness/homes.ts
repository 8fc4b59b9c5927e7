import { join } from 'node:path'
import { AppHost } from './app-host.ts'
import { browserIn, relayHost, relayName, SmallInternet } from './namespaces.ts'
import type { Person } from './person.ts'
import type { Profile } from './profile.ts'
import { relayAddresses } from './relay-addresses.ts'
import type { RelayProcess } from './relay-process.ts'
import type { World } from './scenario.ts'

/** The small internet, with a relay in it that everybody finds by its name. */
export interface Neighbourhood {
  readonly internet: SmallInternet
  readonly relay: RelayProcess
  /** A home behind a router of its own in which the app is served; whoever opens `url` in it begins at the relay. */
  readonly home: (name: string) => Promise<{ readonly namespace: string; readonly url: string }>
}

export interface Neighbours extends Neighbourhood {
  /** Namespaces of the two homes. */
  readonly homes: { readonly alice: string; readonly bob: string }
  readonly alice: Person & { profile: Profile }
  readonly bob: Person & { profile: Profile }
}

export const neighbourhood = async (
  world: World,
  prepare: (internet: SmallInternet) => void = () => undefined,
): Promise<Neighbourhood> => {
  const internet = world.keep(SmallInternet.build(), (built) => built.remove())
  await internet.name(relayHost)
  prepare(internet)
  const relay = await world.relay({ host: relayHost, namespace: internet.internet, servesApp: false })
  const numeric = (await relayAddresses(relay)).find((candidate) => candidate.includes('/ws/')) ?? ''
  const address = numeric.replace(`/ip4/${relayHost}/`, `/dns4/${relayName}/`)
  const home: Neighbourhood['home'] = async (name) => {
    const namespace = internet.home(name)
    const host = world.keep(await AppHost.start(namespace), (started) => started.close())
    return { namespace, url: `${host.url}/#relay=${address}` }
  }
  return { internet, relay, home }
}

/** A person with a Chromium in this home. */
export const personIn = async (world: World, namespace: string, name: string): Promise<Person & { profile: Profile }> =>
  world.person(name, { executable: await browserIn(namespace, join(world.directory, `browser-${name}`)) })

/** Alice and Bob, each behind a router of their own, the relay between them; met by an invite, conversation open. */
export const twoHomes = async (
  world: World,
  prepare: (internet: SmallInternet) => void = () => undefined,
): Promise<Neighbours> => {
  const around = await neighbourhood(world, prepare)
  const { namespace: aliceAt, url } = await around.home('alice')
  const { namespace: bobAt } = await around.home('bob')
  const alice = await personIn(world, aliceAt, 'Alice')
  const bob = await personIn(world, bobAt, 'Bob')
  await alice.onboard(url)
  await bob.acceptAsNewcomer(await alice.invite())
  await alice.openConversation('Bob')
  return { ...around, homes: { alice: aliceAt, bob: bobAt }, alice, bob }
}
