import { openDB } from 'idb'
import { afterEach, describe, expect, it } from 'vitest'
import { rawStoreNames } from '../store/indexed-db-store.ts'
import { recordingProvider } from './engine-race.fixture.ts'
import { meet, Person } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

const soon = { timeout: 20_000, interval: 20 }

type Copy = ReadonlyMap<string, readonly (readonly [IDBValidKey, unknown])[]>

/** Every row of a database, as a copy of the profile's folder would have it. */
const copyOf = async (name: string): Promise<Copy> => {
  const database = await openDB(name)
  const copy = new Map<string, (readonly [IDBValidKey, unknown])[]>()
  for (const store of rawStoreNames) {
    const [keys, values] = await Promise.all([database.getAllKeys(store), database.getAll(store)])
    copy.set(
      store,
      keys.map((key, i) => [key, values[i]]),
    )
  }
  database.close()
  return copy
}

const restore = async (name: string, copy: Copy): Promise<void> => {
  const database = await openDB(name)
  const tx = database.transaction([...copy.keys()], 'readwrite')
  for (const [store, rows] of copy) {
    await tx.objectStore(store).clear()
    for (const [key, value] of rows) await tx.objectStore(store).put(value, key)
  }
  await tx.done
  database.close()
}

const befriend = async () => {
  const world = new TestWorld()
  const { provider, sealed } = recordingProvider()
  const alice = new Person({ world, name: 'Alice', crypto: provider })
  const bob = new Person({ world, name: 'Bob' })
  people.push(alice, bob)
  const id = await meet(alice, bob)
  await expect.poll(() => alice.conversation(id)?.name, soon).toBe('Bob')
  await alice.send(id, 'before')
  await expect.poll(() => bob.texts(id), soon).toEqual(['before'])
  return { world, alice, bob, id, sealed }
}

const isRestored = (person: Person): boolean =>
  person.events.some((event) => event.kind === 'problem' && event.problem.code === 'restored')

describe('a profile that is older than what its relay knows', () => {
  it('is noticed before anything is encrypted, begins anew, and uses no key twice', async () => {
    const { alice, bob, id, sealed } = await befriend()
    await alice.close()
    const copy = await copyOf(alice.database)
    await alice.open()
    const theirs = Array.from({ length: 100 }, (_, i) => `original ${i}`)
    for (const text of theirs) await alice.send(id, text)
    await expect.poll(async () => (await bob.texts(id)).length, soon).toBe(101)
    await alice.close()

    await restore(alice.database, copy)
    const before = sealed.length
    alice.events = []
    // Written before the network is there: stored, and not encrypted.
    const tab = await alice.openTab()
    await tab.engine.send(id, 'written at once')
    expect(sealed.length).toBe(before)
    await tab.engine.close()
    await alice.open()
    await alice.send(id, 'from the copy')
    await expect.poll(() => isRestored(alice), soon).toBe(true)
    await expect.poll(() => bob.texts(id), soon).toEqual(['before', ...theirs, 'written at once', 'from the copy'])
    await bob.send(id, 'an answer to the copy')
    await expect.poll(async () => (await alice.texts(id)).at(-1), soon).toBe('an answer to the copy')
    const keys = sealed.map(({ messageKey }) => messageKey)
    expect(keys.length).toBeGreaterThan(102)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('is nothing of the kind after a restart, a crash, or a relay that lost its memory', async () => {
    const { world, alice, bob, id } = await befriend()
    for (let round = 0; round < 3; round++) {
      await alice.send(id, `round ${round}`)
      await alice.close()
      if (round === 2) for (const mailbox of world.mailboxes.values()) mailbox.counter = 0
      await alice.open()
    }
    await alice.send(id, 'after all')
    await expect.poll(async () => (await bob.texts(id)).at(-1), soon).toBe('after all')
    expect(isRestored(alice)).toBe(false)
  })

  it('is not made of a number that a relay has invented', async () => {
    const { world, alice, bob, id } = await befriend()
    await alice.close()
    for (const mailbox of world.mailboxes.values()) mailbox.counter = Number.MAX_SAFE_INTEGER
    await alice.open()
    await alice.send(id, 'all the same')
    await expect.poll(async () => (await bob.texts(id)).at(-1), soon).toBe('all the same')
    expect(isRestored(alice)).toBe(false)
  })

  it('holds back what is written while no relay can tell, and sends it when one can', async () => {
    const { world, alice, bob, id, sealed } = await befriend()
    await alice.close()
    world.relayUp = false
    const before = sealed.length
    await alice.open()
    await alice.send(id, 'while the relay is away')
    expect(sealed.length).toBe(before)
    world.relayUp = true
    await expect.poll(async () => (await bob.texts(id)).at(-1), soon).toBe('while the relay is away')
  })
})
