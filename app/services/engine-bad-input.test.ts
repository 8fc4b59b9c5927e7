import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeContent } from '../../protocol/content/content.ts'
import { encryptMessage } from '../../protocol/session/session.ts'
import { fromHex } from '../../protocol/wire/bytes.ts'
import type { ClientStore } from '../store/client-store.ts'
import { openIndexedDbStore } from '../store/indexed-db-store.ts'
import { accountTable } from '../store/records/account.ts'
import { contactTable } from '../store/records/contact.ts'
import { sessionTable } from '../store/records/session.ts'
import { StoreError } from '../store/store-error.ts'
import { meet, Person, random } from './person.fixture.ts'
import { TestWorld } from './test-network.fixture.ts'

const soon = { timeout: 10_000, interval: 20 }

describe('an engine that gets bad envelopes', () => {
  let world: TestWorld
  let alice: Person
  let bob: Person
  let id: string
  let failing = false
  /** A disk that gives out at the very end of a step. */
  const failable = (store: ClientStore): ClientStore => ({
    read: (step) => store.read(step),
    write: (step) =>
      store.write(async (tx) => {
        const result = await step(tx)
        if (failing) throw new StoreError('aborted', 'the disk failed')
        return result
      }),
    close: () => store.close(),
    destroy: () => store.destroy(),
  })
  beforeEach(async () => {
    world = new TestWorld()
    // Nothing of its own may move while the database is compared.
    const calm = { offerAgainMs: [600_000, 600_000], receiptRenewMs: 600_000 } as const
    failing = false
    alice = new Person({ world, name: 'Alice', pace: calm, wrap: failable })
    bob = new Person({ world, name: 'Bob', pace: calm })
    id = await meet(alice, bob)
    await bob.send(id, 'one')
    await expect.poll(() => alice.conversation(id)?.messages, soon).toBeGreaterThan(0)
    await alice.send(id, 'two')
    await expect
      .poll(async () => (await alice.messages(id)).filter((m) => m.mine).at(-1)?.status, soon)
      .toBe('delivered')
    await expect.poll(async () => (await bob.messages(id)).filter((m) => m.mine).at(-1)?.status, soon).toBe('delivered')
  })
  afterEach(async () => {
    await alice.end()
    await bob.end()
  })

  /** What the relay would hand over. */
  const deliver = (envelope: Uint8Array): Promise<boolean[]> => {
    const connection = [...world.connections.values()].find((one) => one.accountOf() === alice.accountId)
    if (!connection) throw new Error('Alice is connected')
    const source = { kind: 'mailbox', relayKey: world.relayKey, waiting: 0 } as const
    return connection.listener.onEnvelopes(source, [{ envelope }])
  }

  it('changes nothing for damaged, cut, repeated and foreign ones, writes them down and lets them go', async () => {
    const envelopes = world.seen.map((one) => one.envelope)
    const flipped = (envelope: Uint8Array, at: number): Uint8Array => {
      const copy = envelope.slice()
      copy[at] = (copy[at] ?? 0) ^ 1
      return copy
    }
    const stranger = new Person({ world, name: 'Carol' })
    const friend = new Person({ world, name: 'Dave' })
    const before = world.seen.length
    const otherId = await meet(stranger, friend)
    await friend.send(otherId, 'not for you')
    await expect.poll(() => stranger.conversation(otherId)?.messages, soon).toBe(1)
    const foreign = world.seen.slice(before).map((one) => one.envelope)
    await stranger.end()
    await friend.end()
    const bad = [
      new Uint8Array(0),
      random(500),
      ...foreign,
      ...envelopes.flatMap((envelope) => [
        ...[0, 3, 40, Math.floor(envelope.length / 2), envelope.length - 1].map((at) => flipped(envelope, at)),
        envelope.slice(0, -1),
        envelope.slice(0, 100),
        new Uint8Array([...envelope, 0]),
      ]),
    ]
    const dump = await alice.dump()
    const lines = (await alice.engine.diagnostics()).lines.length
    for (const envelope of bad) expect(await deliver(envelope)).toEqual([true])
    expect(await alice.dump()).toBe(dump)
    expect((await alice.engine.diagnostics()).lines.length).toBe(lines + bad.length)
    // Repeats of good ones are no event at all.
    const received = world.seen.filter((one) => one.from === bob.accountId).map((one) => one.envelope)
    for (const envelope of received) expect(await deliver(envelope)).toEqual([true])
    expect(await alice.dump()).toBe(dump)
    expect((await alice.engine.diagnostics()).lines.length).toBe(lines + bad.length)
    await bob.send(id, 'three')
    await expect.poll(() => alice.conversation(id)?.last?.text, soon).toBe('three')
    expect((await alice.texts(id)).filter((text) => text === 'one')).toEqual(['one'])
  })

  it('acknowledges what is on disk and nothing else', async () => {
    world.faults = { swallow: 1 }
    const before = world.seen.length
    await bob.send(id, 'committed first')
    await expect.poll(() => world.seen.length, soon).toBeGreaterThan(before)
    const envelope = world.seen[before]?.envelope ?? new Uint8Array(0)
    failing = true
    const dump = await alice.dump()
    expect(await deliver(envelope)).toEqual([false])
    expect(await alice.dump()).toBe(dump)
    failing = false
    expect(await deliver(envelope)).toEqual([true])
    expect((await alice.texts(id)).at(-1)).toBe('committed first')
  })

  it('keeps its diagnostics short', async () => {
    const dump = await alice.dump()
    for (let i = 0; i < 12; i++) {
      const connection = [...world.connections.values()].find((one) => one.accountOf() === alice.accountId)
      const source = { kind: 'mailbox', relayKey: world.relayKey, waiting: 0 } as const
      await connection?.listener.onEnvelopes(
        source,
        Array.from({ length: 50 }, () => ({ envelope: random(300) })),
      )
    }
    expect((await alice.engine.diagnostics()).lines.length).toBe(500)
    expect(await alice.dump()).toBe(dump)
  })

  it('shows content of a newer version as such, in its place, and keeps it', async () => {
    await bob.close()
    const store = await openIndexedDbStore({ name: bob.database, random })
    const envelope = await store.write(async (tx) => {
      const account = await tx.get(accountTable, [0])
      const contact = await tx.get(contactTable, [fromHex(alice.accountId ?? '')])
      const [row] = await tx.list(sessionTable, { prefix: [fromHex(alice.accountId ?? '')] })
      if (!account || !contact || !row) throw new Error('Bob knows Alice')
      const plaintext = encodeContent({
        messageId: random(16),
        conversationId: contact.conversationId,
        sentAtMs: Date.now(),
        sequence: 2,
        head: account.head,
        body: { kind: 'unknown', code: 77, raw: random(20) },
      })
      const next = encryptMessage(row.state, plaintext, { now: Date.now(), random })
      tx.put(sessionTable, { ...row, state: next.session })
      return next.envelope
    })
    store.close()
    expect(await deliver(envelope)).toEqual([true])
    const last = (await alice.messages(id)).at(-1)
    expect(last).toMatchObject({ mine: false })
    expect(last?.text).toBeUndefined()
    await alice.close()
    await alice.open()
    expect((await alice.messages(id)).at(-1)).toEqual(last)
  })
})
