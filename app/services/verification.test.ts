import { openDB } from 'idb'
import { afterEach, describe, expect, it } from 'vitest'
import { replaceDevice, setRelays, verifyAccountLog } from '../../protocol/identity/account-log.ts'
import { createDevice } from '../../protocol/identity/device.ts'
import { safetyNumber } from '../../protocol/identity/safety-number.ts'
import { Person, random } from './person.fixture.ts'
import { loseSessions } from './repair.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'
import {
  accountOf,
  delivered,
  endPeople,
  pair,
  people,
  replace,
  said,
  sentBy,
  soon,
  statuses,
  talking,
  verify,
} from './verification.fixture.ts'

afterEach(endPeople)

describe('comparing safety codes', () => {
  it('marks a match as verified, remembers it, and takes it back', async () => {
    const { alice, bob, id } = await talking(new TestWorld())
    expect(await verify(alice, bob, id)).toBe('match')
    expect(alice.conversation(id)?.verification).toBe('verified')
    expect(bob.conversation(id)?.verification).toBeUndefined()
    await alice.close()
    await alice.open()
    await alice.engine.saveDraft(id, 'x')
    expect(alice.conversation(id)?.verification).toBe('verified')
    expect(await alice.engine.setVerified(id, null)).toBe(true)
    expect(alice.conversation(id)?.verification).toBeUndefined()
    const { qr } = await alice.engine.safetyNumber(id)
    expect(await alice.engine.setVerified(id, qr)).toBe(true)
    expect(alice.conversation(id)?.verification).toBe('verified')
  })

  it('tells other people, other things and older keys apart', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    const side = () => ({ accountId: random(32), head: random(32) })
    expect(await alice.engine.compareSafety(id, safetyNumber(side(), side()).qr)).toBe('other-people')
    expect(await alice.engine.compareSafety(id, new TextEncoder().encode('https://example.org'))).toBe('not-a-code')
    const [ofAlice, ofBob] = [(await alice.engine.safetyNumber(id)).qr, (await bob.engine.safetyNumber(id)).qr]
    world.relayUp = false
    await replace(bob)
    expect(await verify(alice, bob, id)).toBe('older-here')
    expect(await bob.engine.compareSafety(id, ofAlice)).toBe('older-there')
    expect(alice.conversation(id)?.verification ?? bob.conversation(id)?.verification).toBeUndefined()
    world.relayUp = true
    await bob.close()
    await bob.open()
    await expect.poll(() => said(alice, id), soon).toContain('keys-changed')
    expect(await verify(alice, bob, id)).toBe('match')
    // What Bob showed before: nobody has less of Bob than Alice has, least of all Bob.
    expect(await alice.engine.compareSafety(id, ofBob)).toBe('conflict')
  })

  it('sees that somebody is shown keys of ours that are not ours', async () => {
    const { alice, bob, id } = await talking(new TestWorld())
    const { head, accountId } = await accountOf(alice)
    const account = await accountOf(bob)
    const forked = setRelays(account.log, [], account.device, Date.now())
    const shown = safetyNumber(
      { accountId, head },
      { accountId: account.accountId, head: verifyAccountLog(forked).head },
    )
    expect(await bob.engine.compareSafety(id, shown.qr)).toBe('conflict')
    expect(bob.conversation(id)?.verification).toBeUndefined()
  })
})

describe('a contact who replaces their keys', () => {
  it('is told of in the conversation, quietly, and writing goes on', async () => {
    const { alice, bob, id } = await talking(new TestWorld())
    const before = await accountOf(bob)
    await replace(bob)
    await expect.poll(() => said(alice, id), soon).toEqual(['from bob', 'from alice', 'keys-changed'])
    expect(alice.conversation(id)).toMatchObject({ unread: 1, last: { text: 'from alice' } })
    await alice.send(id, 'to the new keys')
    await bob.send(id, 'from the new keys')
    await expect.poll(() => bob.texts(id), soon).toContain('to the new keys')
    await expect
      .poll(() => said(alice, id), soon)
      .toEqual(['from bob', 'from alice', 'keys-changed', 'to the new keys', 'from the new keys'])
    await delivered(alice, id)
    await delivered(bob, id)
    const after = await accountOf(bob)
    expect(after.device.deviceKey).not.toEqual(before.device.deviceKey)
    expect(after.device.identityKey).not.toEqual(before.device.identityKey)
    expect(after.relays[0]?.mailboxId).not.toEqual(before.relays[0]?.mailboxId)
    expect(verifyAccountLog(after.log).devices.map(({ deviceId }) => deviceId)).toEqual([after.device.deviceId])
  })

  it('waits for a yes when verified: nothing is encrypted, and nothing is lost across a reload', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    expect(await verify(alice, bob, id)).toBe('match')
    await replace(bob)
    await bob.send(id, 'it is me')
    await expect.poll(() => said(alice, id), soon).toEqual(['from bob', 'from alice', 'keys-changed', 'it is me'])
    expect(alice.conversation(id)?.verification).toBe('changed')
    const before = sentBy(world, alice)
    await alice.send(id, 'one')
    await alice.close()
    await alice.open()
    await alice.send(id, 'two')
    expect(alice.conversation(id)?.verification).toBe('changed')
    // Bob's messages have gone all the way by now; of Alice there is not one envelope, not even a receipt.
    await bob.send(id, 'are you there')
    await expect.poll(() => alice.texts(id), soon).toContain('are you there')
    expect(sentBy(world, alice)).toBe(before)
    expect((await alice.messages(id)).filter((m) => m.mine && m.status === 'waiting').map((m) => m.text)).toEqual([
      'one',
      'two',
    ])
    // Trusting less is no yes.
    expect(await alice.engine.setVerified(id, null)).toBe(false)
    expect(alice.conversation(id)?.verification).toBe('changed')
    await alice.engine.acceptKeys(id)
    await expect.poll(() => bob.texts(id), soon).toEqual(expect.arrayContaining(['one', 'two']))
    await delivered(alice, id)
    await delivered(bob, id)
    expect(alice.conversation(id)?.verification).toBeUndefined()
  })

  it('is not verified by what was on the screen before its keys changed', async () => {
    const { alice, bob, id } = await talking(new TestWorld())
    expect(await verify(alice, bob, id)).toBe('match')
    const { qr } = await alice.engine.safetyNumber(id)
    await replace(bob)
    await expect.poll(() => alice.conversation(id)?.verification, soon).toBe('changed')
    expect(await alice.engine.setVerified(id, qr)).toBe(false)
    expect(alice.conversation(id)?.verification).toBe('changed')
    expect(await alice.engine.setVerified(id, (await alice.engine.safetyNumber(id)).qr)).toBe(true)
    expect(alice.conversation(id)?.verification).toBe('verified')
  })

  it('is verified again by a new comparison, which is a yes as well', async () => {
    const { alice, bob, id } = await talking(new TestWorld())
    expect(await verify(alice, bob, id)).toBe('match')
    await replace(bob)
    await expect.poll(() => alice.conversation(id)?.verification, soon).toBe('changed')
    await alice.send(id, 'held')
    expect(await verify(alice, bob, id)).toBe('match')
    expect(alice.conversation(id)?.verification).toBe('verified')
    await expect.poll(() => bob.texts(id), soon).toContain('held')
  })

  it('gets what was on its way to the old keys, and loses nothing that it had sent', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    await bob.close()
    for (const text of ['1', '2', '3']) await alice.send(id, text)
    await expect.poll(async () => (await statuses(alice, id)).filter((one) => one === 'sent').length, soon).toBe(3)
    await alice.close()
    await bob.open()
    await bob.send(id, 'before')
    await replace(bob)
    await bob.send(id, 'after')
    await expect.poll(() => bob.texts(id), soon).toEqual(expect.arrayContaining(['1', '2', '3']))
    // Alice slept through it all: her first words still go to the old mailbox.
    world.relayUp = false
    await alice.open()
    await alice.send(id, '4')
    world.relayUp = true
    await alice.close()
    await alice.open()
    await expect.poll(() => bob.texts(id), soon).toContain('4')
    await expect.poll(() => alice.texts(id), soon).toEqual(expect.arrayContaining(['before', 'after']))
    await delivered(alice, id)
    await delivered(bob, id)
    for (const who of [alice, bob]) {
      const texts = (await who.texts(id)).filter((text) => text !== undefined)
      expect(texts).toHaveLength(new Set(texts).size)
    }
  })

  it('collects what comes to the old mailbox, with the old key', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    const mailboxId = (await accountOf(bob)).relays[0]?.mailboxId ?? new Uint8Array(32)
    const old = world.mailbox(mailboxId)
    // Alice does not hear of the new keys.
    world.faults = { lose: 1 }
    await replace(bob)
    await bob.close()
    world.faults = {}
    await alice.send(id, 'to the old mailbox')
    await expect.poll(() => old.waiting.length, soon).toBe(1)
    await bob.open()
    await expect.poll(() => bob.texts(id), soon).toContain('to the old mailbox')
    await expect.poll(() => old.waiting.length, soon).toBe(0)
    await delivered(alice, id)
  })

  it('is held when verified by the code of an invite, before its log and what came since were known', async () => {
    const world = new TestWorld()
    const [alice, bob] = pair(world)
    await Promise.all([alice.onboard(), bob.onboard()])
    const fragment = await bob.invite()
    const [own, theirs] = [await accountOf(alice), await accountOf(bob)]
    await replace(bob)
    await expect.poll(() => world.logs.get(bob.accountId ?? '')?.length, soon).toBeGreaterThan(theirs.log.length)
    await bob.close()
    world.relayUp = false
    const id = await alice.accept(fragment)
    expect(await alice.engine.compareSafety(id, safetyNumber(own, theirs).qr)).toBe('match')
    expect(alice.conversation(id)?.verification).toBe('verified')
    world.relayUp = true
    await alice.close()
    await alice.open()
    await alice.send(id, 'for the keys of then')
    await expect.poll(() => alice.conversation(id)?.verification, soon).toBe('changed')
    expect(await said(alice, id)).toContain('keys-changed')
    expect(sentBy(world, alice)).toBe(0)
  })

  it('is told of though its relay keeps the new prekeys back', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    const account = await accountOf(bob)
    await Promise.all([alice.close(), bob.close()])
    const name = bob.accountId ?? ''
    world.logs.set(name, replaceDevice(account.log, account.device, createDevice(random), Date.now()))
    world.prekeys.delete(name)
    await loseSessions(alice)
    await alice.open()
    await alice.send(id, 'to whom?')
    await expect.poll(() => said(alice, id), soon).toContain('keys-changed')
    const asked = (await alice.messages(id)).find(({ text }) => text === 'to whom?')
    expect(asked?.status).toBe('waiting')
  })

  it('publishes nothing in the name of the old ones, whatever was under way', async () => {
    const world = new TestWorld()
    const [alice, bob] = pair(world)
    let goOn = (): void => undefined
    world.relay.publishing = new Promise((resolve) => (goOn = resolve))
    await Promise.all([alice.onboard(), bob.onboard()])
    await expect.poll(async () => (await alice.engine.replaceKeys()).ok, soon).toBe(true)
    goOn()
    const id = await bob.accept(await alice.invite())
    await bob.send(id, 'hello')
    await expect.poll(() => alice.texts(id), soon).toEqual(['hello'])
    expect(world.relay.notOwner).toBe(0)
  })

  it('may be invited by a link from before', async () => {
    const world = new TestWorld()
    const [alice, bob] = pair(world)
    await Promise.all([alice.onboard(), bob.onboard()])
    const fragment = await alice.invite()
    await replace(alice)
    const id = await bob.accept(fragment)
    await bob.send(id, 'hello')
    await expect.poll(() => alice.texts(id), soon).toEqual(['hello'])
    await alice.send(id, 'hello to you')
    await expect.poll(() => bob.texts(id), soon).toEqual(['hello', 'hello to you'])
  })

  it('opens a first message that was sealed to the old keys, and answers with the new ones', async () => {
    const world = new TestWorld()
    const [alice, bob] = pair(world)
    await Promise.all([alice.onboard(), bob.onboard()])
    const fragment = await alice.invite()
    await alice.close()
    const id = await bob.accept(fragment)
    await bob.send(id, 'hello')
    await expect.poll(() => statuses(bob, id), soon).toEqual(['sent'])
    world.relayUp = false
    await alice.open()
    await replace(alice)
    world.relayUp = true
    await alice.close()
    await alice.open()
    await expect.poll(() => alice.texts(id), soon).toEqual(['hello'])
    await expect.poll(() => said(bob, id), soon).toEqual(['hello', 'keys-changed'])
    await alice.send(id, 'hello to you')
    await expect.poll(() => bob.texts(id), soon).toContain('hello to you')
    await delivered(bob, id)
  })

  it('may be a pair that both do so at once, and twice', async () => {
    const { alice, bob, id } = await talking(new TestWorld())
    await Promise.all([replace(alice), replace(bob)])
    await Promise.all([alice.send(id, 'a'), bob.send(id, 'b')])
    for (const who of [alice, bob]) {
      await expect.poll(() => who.texts(id), soon).toEqual(expect.arrayContaining(['a', 'b']))
      await delivered(who, id)
    }
    await expect.poll(async () => (await bob.engine.replaceKeys()).ok, soon).toBe(true)
    await alice.send(id, 'c')
    await bob.send(id, 'd')
    for (const who of [alice, bob]) {
      await expect.poll(() => who.texts(id), soon).toEqual(expect.arrayContaining(['c', 'd']))
      await delivered(who, id)
    }
  })

  it('does not listen to the replaced keys any more', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    const copy = new Person({ world, name: 'thief' })
    await bob.close()
    await copyDatabase(bob.database, copy.database)
    await bob.open()
    await replace(bob)
    await expect.poll(() => said(alice, id), soon).toContain('keys-changed')
    // A thief with everything that Bob's device held before.
    people.push(copy)
    await copy.open()
    await copy.send(id, 'I am Bob')
    const opened = async () =>
      (await alice.engine.diagnostics()).lines.filter((line) => line.area === 'envelope').length
    await expect.poll(opened, soon).toBeGreaterThan(0)
    expect(await alice.texts(id)).not.toContain('I am Bob')
  })
})

/** Every byte of a device, as somebody who has it in hands gets them. */
const copyDatabase = async (from: string, to: string): Promise<void> => {
  const source = await openDB(from)
  const names = [...source.objectStoreNames]
  const target = await openDB(to, source.version, {
    upgrade: (database) => {
      for (const name of names) {
        const store = database.createObjectStore(name)
        for (const index of source.transaction(name).store.indexNames) store.createIndex(index, index)
      }
    },
  })
  for (const name of names) {
    const [keys, values] = await Promise.all([source.getAllKeys(name), source.getAll(name)])
    const tx = target.transaction(name, 'readwrite')
    await Promise.all(values.map((value, i) => tx.store.put(value, keys[i])))
    await tx.done
  }
  source.close()
  target.close()
}
