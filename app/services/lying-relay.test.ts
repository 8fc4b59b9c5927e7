import { afterEach, describe, expect, it } from 'vitest'
import { createAccount, replaceDevice } from '../../protocol/identity/account-log.ts'
import { createDevice } from '../../protocol/identity/device.ts'
import type { AccountRow } from '../store/records/account.ts'
import { random } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'
import { accountOf, endPeople, pair, replace, said, sentBy, soon, talking } from './verification.fixture.ts'

afterEach(endPeople)

/** A log that its maker would refuse to make is still one that a relay can send. */
const unchecked = (make: () => Uint8Array, otherwise: Uint8Array): Uint8Array => {
  try {
    return make()
  } catch {
    return otherwise.with(otherwise.length - 1, (otherwise.at(-1) ?? 0) ^ 1) as Uint8Array
  }
}

describe('a relay that lies', () => {
  /** Another log for Bob's account id than Bob's: what a relay can make without his keys, or with an older state. */
  const lies: [string, (account: AccountRow) => Uint8Array][] = [
    [
      'somebody else\u2019s log',
      () => {
        const device = createDevice(random)
        return createAccount({ device, now: Date.now(), random }).log
      },
    ],
    [
      'keys of its own, signed by themselves',
      (account) => {
        const device = createDevice(random)
        const forged = { ...device, deviceKey: account.device.deviceKey }
        return unchecked(() => replaceDevice(account.log, forged, device, Date.now()), account.log)
      },
    ],
    ['a log cut short', (account) => account.log.slice(0, -1)],
  ]

  it.each(lies)('is refused: %s', async (_, lie) => {
    const world = new TestWorld()
    const [alice, bob] = pair(world)
    await Promise.all([alice.onboard(), bob.onboard()])
    const fragment = await bob.invite()
    const account = await accountOf(bob)
    const name = bob.accountId ?? ''
    const honest = world.logs.get(name)
    world.logs.set(name, lie(account))
    const id = await alice.accept(fragment)
    await alice.send(id, 'for bob alone')
    const refused = async () => (await alice.engine.diagnostics()).lines.some((line) => line.area === 'invite')
    await expect.poll(refused, soon).toBe(true)
    expect(sentBy(world, alice)).toBe(0)
    if (honest) world.logs.set(name, honest)
    await expect.poll(() => bob.texts(id), soon).toEqual(['for bob alone'])
  })

  it('cannot go back to a log from before', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    const name = bob.accountId ?? ''
    const old = world.logs.get(name)
    await replace(bob)
    await expect.poll(() => said(alice, id), soon).toContain('keys-changed')
    const honest = world.logs.get(name)
    if (old) world.logs.set(name, old)
    // With new keys of her own, Alice needs a new session, and asks the relay for Bob's log.
    await replace(alice)
    await alice.send(id, 'to the new keys alone')
    const refused = async () => (await alice.engine.diagnostics()).lines.some(({ code }) => code === 'conflict')
    await expect.poll(refused, soon).toBe(true)
    expect(await bob.texts(id)).not.toContain('to the new keys alone')
    if (honest) world.logs.set(name, honest)
    await expect.poll(() => bob.texts(id), soon).toContain('to the new keys alone')
    expect(await said(alice, id)).toEqual(['from bob', 'from alice', 'keys-changed', 'to the new keys alone'])
  })
})
