import { afterEach, describe, expect, it } from 'vitest'
import { setRelays } from '../../protocol/identity/account-log.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { AccountRow } from '../store/records/account.ts'
import { isOlderHead } from './contact-logs.ts'
import type { Core } from './core.ts'
import { meet, Person } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'
import { accountOf, contactOf, endPeople, pair, people, soon, talking, verify } from './verification.fixture.ts'

afterEach(endPeople)

const add = async (who: Person, address: string) => {
  const outcome = await who.engine.addRelay([address])
  if (!outcome.ok) throw new Error(outcome.problem.message)
}

/** Another next entry than the one that Bob has made since: only his own keys can sign it. */
const otherHistory = ({ device, log }: AccountRow): Uint8Array => setRelays(log, [], device, 1)

const knowsNewest = async (who: Person, other: Person) => {
  const { head } = await accountOf(other)
  await expect.poll(async () => toHex((await contactOf(who, other)).head), soon).toBe(toHex(head))
  expect((await contactOf(who, other)).logStale).toBe(false)
}

describe('the account log of a contact', () => {
  it('is asked of every relay: one that is behind keeps nobody from the news', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    world.relay.lies.set(bob.accountId ?? '', (await accountOf(bob)).log)
    await add(bob, world.addRelay().address)
    await knowsNewest(alice, bob)
    expect(alice.conversation(id)?.forked).toBeUndefined()
  })

  it('is waited for as long as no relay has what was announced', async () => {
    const world = new TestWorld()
    const { alice, bob } = await talking(world)
    const name = bob.accountId ?? ''
    const { log } = await accountOf(bob)
    const second = world.addRelay()
    for (const relay of world.relays) relay.lies.set(name, log)
    await add(bob, second.address)
    await expect.poll(async () => (await contactOf(alice, bob)).logStale, soon).toBe(true)
    // Still so after everybody was asked again.
    const before = world.relay.logsAsked
    await bob.engine.setName('Bobby')
    await expect.poll(() => world.relay.logsAsked, soon).toBeGreaterThan(before)
    expect((await contactOf(alice, bob)).logStale).toBe(true)
    second.lies.clear()
    await bob.engine.setName('Bob')
    await knowsNewest(alice, bob)
  })

  it('in two versions that contradict each other is shown, until the person has compared', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    const fork = otherHistory(await accountOf(bob))
    world.relay.lies.set(bob.accountId ?? '', fork)
    const second = world.addRelay()
    await add(bob, second.address)
    await expect.poll(() => alice.conversation(id)?.forked, soon).toBe(true)
    await knowsNewest(alice, bob)
    await alice.send(id, 'writing goes on')
    await expect.poll(() => bob.texts(id), soon).toContain('writing goes on')
    expect(await verify(alice, bob, id)).toBe('match')
    expect(alice.conversation(id)?.forked).toBeUndefined()
    expect((await contactOf(alice, bob)).forked).toBeUndefined()
  })

  it('is found at the second relay of an invite when the first knows nothing of the account', async () => {
    const world = new TestWorld()
    const [alice, bob] = pair(world)
    await Promise.all([alice.onboard(), bob.onboard()])
    const second = world.addRelay()
    await add(alice, second.address)
    const fragment = await alice.invite()
    world.logs.delete(alice.accountId ?? '')
    const id = await bob.accept(fragment)
    await bob.send(id, 'found you')
    await expect.poll(() => alice.texts(id), soon).toEqual(['found you'])
    expect(bob.events.some((event) => event.kind === 'problem')).toBe(false)
  })

  it('tells which of two heads is the older one', async () => {
    const world = new TestWorld()
    const bob = new Person({ world, name: 'Bob' })
    const alice = new Person({ world, name: 'Alice' })
    people.push(alice, bob)
    await meet(alice, bob)
    const first = await accountOf(alice)
    await add(alice, world.addRelay().address)
    const second = await accountOf(alice)
    const core = { crypto: noble } as Core
    await expect.poll(async () => (await contactOf(bob, alice)).log.length, soon).toBeGreaterThan(0)
    const contact = await contactOf(bob, alice)
    const knowing = { ...contact, log: second.log, head: second.head }
    const behind = { ...contact, log: first.log, head: first.head }
    for (const known of [knowing, behind]) {
      expect(isOlderHead(core, known, first.head, second.head)).toBe(true)
      expect(isOlderHead(core, known, second.head, first.head)).toBe(false)
      expect(isOlderHead(core, known, second.head, second.head)).toBe(false)
    }
  })
})
