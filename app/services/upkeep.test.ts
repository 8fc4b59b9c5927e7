import { afterEach, expect, it } from 'vitest'
import { dayMs } from '../../protocol/wire/limits.ts'
import { openIndexedDbStore } from '../store/indexed-db-store.ts'
import { contactTable } from '../store/records/contact.ts'
import { inviteTable } from '../store/records/invite.ts'
import { laneTable } from '../store/records/lane.ts'
import { sessionTable } from '../store/records/session.ts'
import { meet, Person, random } from './person.fixture.ts'
import { addSession } from './sessions.ts'
import { TestWorld } from './test-network.fixture.ts'

const soon = { timeout: 20_000, interval: 20 }
const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

/** How many invites, lanes of invites, and contacts with the secret of an invite a person has stored. */
const invitesOf = async ({ database }: Person) => {
  const store = await openIndexedDbStore({ name: database, random })
  const counts = await store.read(async (tx) => ({
    invites: (await tx.list(inviteTable)).length,
    lanes: (await tx.list(laneTable)).filter((lane) => lane.inviteSecret).length,
    secrets: (await tx.list(contactTable)).filter((contact) => contact.inviteSecret).length,
  }))
  store.close()
  return counts
}

it('lets go of invites: of the secret once it was answered, of the rest when nothing can come by it any more', async () => {
  const world = new TestWorld()
  let offset = 0
  const person = (name: string): Person => {
    const made = new Person({ world, name, clockOffsetMs: () => offset })
    people.push(made)
    return made
  }
  const [alice, bob, carol] = [person('Alice'), person('Bob'), person('Carol')]
  await Promise.all([alice.onboard(), bob.onboard(), carol.onboard()])
  const [used, late] = [await alice.invite(), await alice.invite()]
  const id = await bob.accept(used)
  await expect.poll(() => bob.conversation(id)?.name, soon).toBe('Alice')
  expect(await invitesOf(bob)).toEqual({ invites: 0, lanes: 0, secrets: 0 })

  // Valid for 30 days, and then an envelope may wait for 30 more.
  offset = 59 * dayMs
  await alice.close()
  await alice.open()
  expect(await invitesOf(alice)).toEqual({ invites: 2, lanes: 2, secrets: 0 })
  offset = 61 * dayMs
  const other = await carol.accept(late)
  await carol.send(other, 'too late')
  await expect.poll(() => alice.texts(other), soon).toEqual(['too late'])
  expect(alice.conversation(other)).toBeUndefined()

  await alice.close()
  await alice.open()
  await expect.poll(() => invitesOf(alice), soon).toEqual({ invites: 0, lanes: 0, secrets: 0 })
}, 60_000)

it('keeps the eight sessions with a contact that were used last, and always the new one', async () => {
  const world = new TestWorld()
  const [alice, bob] = [new Person({ world, name: 'Alice' }), new Person({ world, name: 'Bob' })]
  people.push(alice, bob)
  const id = await meet(alice, bob)
  await expect.poll(() => alice.conversation(id)?.name, soon).toBe('Bob')
  await alice.close()
  const store = await openIndexedDbStore({ name: alice.database, random })
  const kept = await store.write(async (tx) => {
    const [row] = await tx.list(sessionTable)
    if (!row) throw new Error('there is a session')
    const named = (i: number) => ({ ...row.state, sessionId: new Uint8Array(16).fill(i) })
    tx.delete(sessionTable, [row.contactId, row.sessionId])
    // Added in another order than used; the last one by a clock that was put back.
    for (const i of [3, 1, 2, 9, 8, 7, 6, 5, 4]) await addSession(tx, named(i), i * 1_000)
    await addSession(tx, named(10), 0)
    return (await tx.list(sessionTable)).map(({ sessionId }) => sessionId[0])
  })
  store.close()
  expect(kept.toSorted((a = 0, b = 0) => a - b)).toEqual([3, 4, 5, 6, 7, 8, 9, 10])
}, 60_000)
