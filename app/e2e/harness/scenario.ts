import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base } from '@playwright/test'
import { Person } from './person.ts'
import { Profile, type ProfileOptions } from './profile.ts'
import { RelayProcess, type RelayOptions } from './relay-process.ts'

/** What a scenario starts; all of it ends with the scenario, however that ends. */
export class World {
  readonly directory: string
  readonly relays: RelayProcess[] = []
  readonly profiles: Profile[] = []
  readonly #kept: (() => unknown)[] = []

  constructor(directory: string) {
    this.directory = directory
  }

  async relay(options: Partial<RelayOptions> = {}): Promise<RelayProcess> {
    const dataDirectory = join(this.directory, `relay-${this.relays.length}`)
    const relay = await RelayProcess.start({ dataDirectory, ...options })
    this.relays.push(relay)
    return relay
  }

  profile(options: Partial<ProfileOptions> = {}): Profile {
    // No person's name in the path: it would stand in the browser's own logs.
    const profile = new Profile({ directory: join(this.directory, `profile-${this.profiles.length}`), ...options })
    this.profiles.push(profile)
    return profile
  }

  /** A person in a fresh profile whose browser is open. */
  async person(name: string, options: Partial<ProfileOptions> = {}): Promise<Person & { profile: Profile }> {
    const profile = this.profile(options)
    return Object.assign(new Person(await profile.open(), name), { profile })
  }

  /** Something else that must be taken down at the end, after the browsers and relays; the last one kept goes first. */
  keep<T>(thing: T, end: (thing: T) => unknown): T {
    this.#kept.push(() => end(thing))
    return thing
  }

  async end(): Promise<void> {
    await Promise.all(this.profiles.map((profile) => profile.kill()))
    await Promise.all(this.relays.map((relay) => relay.kill()))
    for (const end of this.#kept.toReversed()) await end()
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Two people who met by an invite, both with the conversation open. */
export interface Couple {
  readonly relay: RelayProcess
  readonly alice: Person & { profile: Profile }
  readonly bob: Person & { profile: Profile }
}

/** Alice invites, Bob accepts in a fresh profile, and Alice opens the conversation that appears. */
export const introduce = async (world: World, options: Partial<ProfileOptions> = {}): Promise<Couple> => {
  const relay = await world.relay()
  const [alice, bob] = await Promise.all([world.person('Alice', options), world.person('Bob', options)])
  await alice.onboard(relay.url)
  await bob.acceptAsNewcomer(await alice.invite())
  await alice.openConversation('Bob')
  return { relay, alice, bob }
}

export const test = base.extend<{ world: World }>({
  // Playwright reads from the pattern itself which fixtures are wanted; here none.
  world: async ({}, use, testInfo) => {
    const world = new World(await mkdtemp(join(tmpdir(), 'sotto-e2e-')))
    await use(world)
    if (testInfo.status !== testInfo.expectedStatus) {
      for (const [index, relay] of world.relays.entries()) {
        await testInfo.attach(`relay-${index}.log`, { body: relay.log, contentType: 'text/plain' })
      }
      for (const profile of world.profiles) {
        const pages = profile.isOpen ? profile.context.pages() : []
        for (const page of pages) {
          const body = await page.screenshot({ timeout: 5_000 }).catch(() => undefined)
          if (body !== undefined) await testInfo.attach('page.png', { body, contentType: 'image/png' })
        }
      }
    }
    await world.end()
  },
})
