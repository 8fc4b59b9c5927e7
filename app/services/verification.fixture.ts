import { expect } from 'vitest'
import { fromHex } from '../../protocol/wire/bytes.ts'
import { openIndexedDbStore } from '../store/indexed-db-store.ts'
import { accountTable, type AccountRow } from '../store/records/account.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { meet, Person, random, type PersonOptions } from './person.fixture.ts'
import type { TestWorld } from './test-network.fixture.ts'

export const people: Person[] = []
export const pair = (world: TestWorld, more: Partial<PersonOptions> = {}): [Person, Person] => {
  const made = [new Person({ world, name: 'Alice', ...more }), new Person({ world, name: 'Bob', ...more })] as const
  people.push(...made)
  return [...made]
}
/** After each test: ends everybody in it. */
export const endPeople = async (): Promise<void> => {
  for (const one of people.splice(0)) await one.end()
}

export const soon = { timeout: 20_000, interval: 20 }

/** Two people who have heard from each other. */
export const talking = async (world: TestWorld, more: Partial<PersonOptions> = {}) => {
  const [alice, bob] = pair(world, more)
  const id = await meet(alice, bob)
  await bob.send(id, 'from bob')
  await expect.poll(() => alice.texts(id), soon).toEqual(['from bob'])
  await alice.send(id, 'from alice')
  await expect.poll(() => bob.texts(id), soon).toEqual(['from bob', 'from alice'])
  await delivered(alice, id)
  await delivered(bob, id)
  return { alice, bob, id }
}

export const statuses = async (who: Person, id: string) =>
  (await who.messages(id)).filter((m) => m.status !== undefined).map((m) => m.status)
export const delivered = (who: Person, id: string) =>
  expect
    .poll(async () => (await statuses(who, id)).every((status) => status === 'delivered' || status === 'read'), soon)
    .toBe(true)
export const said = async (who: Person, id: string) => (await who.messages(id)).map((m) => m.notice ?? m.text)
export const verify = async (who: Person, other: Person, id: string) =>
  who.engine.compareSafety(id, (await other.engine.safetyNumber(id)).qr)
export const replace = async (who: Person) => {
  const outcome = await who.engine.replaceKeys()
  if (!outcome.ok) throw new Error(outcome.problem.message)
}
export const accountOf = async (who: Person): Promise<AccountRow> => {
  const store = await openIndexedDbStore({ name: who.database, random, onClosed: () => undefined })
  const account = await store.read((tx) => tx.get(accountTable, [0]))
  store.close()
  if (!account) throw new Error('no account')
  return account
}
/** What one knows of the other. */
export const contactOf = async (who: Person, other: Person): Promise<ContactRow> => {
  const store = await openIndexedDbStore({ name: who.database, random, onClosed: () => undefined })
  const contact = await store.read((tx) => tx.get(contactTable, [fromHex(other.accountId ?? '')]))
  store.close()
  if (!contact) throw new Error('no contact')
  return contact
}
/** How many envelopes somebody has handed to the network so far. */
export const sentBy = (world: TestWorld, who: Person) => world.seen.filter(({ from }) => from === who.accountId).length
