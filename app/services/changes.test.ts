import { afterEach, describe, expect, it } from 'vitest'
import { fromBodyFrame, type Change } from '../../protocol/content/body.ts'
import { fromHex } from '../../protocol/wire/bytes.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { accountTable } from '../store/records/account.ts'
import { earlierTextTable, earlyChangeTable, ownChangeTable } from '../store/records/change.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { messageTable } from '../store/records/message.ts'
import { outboxTable } from '../store/records/outbox.ts'
import { addReceivedMessage } from './conversations.ts'
import type { Core } from './core.ts'
import { createEffects } from './effects.ts'
import type { EarlierText, MessageView } from './engine-api.ts'
import { random, type Person } from './person.fixture.ts'
import { receiveChange, sweepEarlyChanges } from './receive-change.ts'
import { inStore, loseSessions } from './repair.fixture.ts'
import { seeded, TestWorld } from './test-network.fixture.ts'
import { endPeople, people, soon, talking } from './verification.fixture.ts'
import { referenceOf } from './views.ts'

afterEach(endPeople)

const shown = ({ text, deleted, editedAtMs, reactions = {} }: MessageView, ownSide: boolean) => ({
  text,
  deleted: deleted === true,
  edited: editedAtMs !== undefined,
  reactions: ownSide ? [reactions.mine, reactions.theirs] : [reactions.theirs, reactions.mine],
})

/** What somebody's conversation shows, reactions as Alice's and Bob's. */
const seenBy = async (who: Person, id: string) =>
  (await who.messages(id)).map((message) => shown(message, who.options.name === 'Alice'))

/** Both sides show the same, and nothing is on its way any more. */
const settled = async (alice: Person, bob: Person, id: string): Promise<void> => {
  for (const who of [alice, bob]) {
    await expect.poll(() => rowsOf(who), soon).toMatchObject({ outbox: [], own: [], early: [] })
  }
  expect(await seenBy(alice, id)).toEqual(await seenBy(bob, id))
}

const rowsOf = (who: Person) =>
  inStore(who, async (tx) => ({
    outbox: await tx.list(outboxTable),
    own: await tx.list(ownChangeTable),
    early: await tx.list(earlyChangeTable),
    earlier: await tx.list(earlierTextTable),
    messages: await tx.list(messageTable),
  }))

const find = async (who: Person, id: string, text: string): Promise<string> => {
  await expect.poll(() => who.texts(id), soon).toContain(text)
  return (await who.messages(id)).find((message) => message.text === text)?.messageId ?? ''
}

const texts = (earlier: readonly EarlierText[]): string[] => earlier.map(({ text }) => text)

const done = async <T>(outcome: Promise<{ ok: true; value: T } | { ok: false; problem: { message: string } }>) => {
  const result = await outcome
  if (!result.ok) throw new Error(result.problem.message)
  return result.value
}

describe('an edit', () => {
  it('is shown on both sides, with what the message said before', async () => {
    const { alice, bob, id } = await talking(new TestWorld())
    const own = await find(alice, id, 'from alice')
    expect((await done(alice.engine.edit(id, own, 'second'))).text).toBe('second')
    await done(alice.engine.edit(id, own, 'third'))
    const theirs = await find(bob, id, 'third')
    await settled(alice, bob, id)
    for (const [who, name] of [
      [alice, own],
      [bob, theirs],
    ] as const)
      expect(texts(await who.engine.earlierTexts(id, name))).toEqual(['from alice', 'second'])
    expect(alice.conversation(id)?.last?.text).toBe('third')
    expect(bob.conversation(id)?.last?.text).toBe('third')
    expect(bob.conversation(id)?.unread).toBe(1)
  })

  it('of nothing, of what somebody else wrote, or to nothing is refused', async () => {
    const { alice, id } = await talking(new TestWorld())
    const [own, theirs] = [await find(alice, id, 'from alice'), await find(alice, id, 'from bob')]
    const before = await alice.dump()
    for (const outcome of [
      alice.engine.edit(id, theirs, 'x'),
      alice.engine.edit(id, own, ''),
      alice.engine.edit(id, own, 'x'.repeat(20_000)),
      alice.engine.edit(id, `01${'ab'.repeat(16)}`, 'x'),
      alice.engine.edit(id, 'nothing', 'x'),
      alice.engine.edit('ab'.repeat(16), own, 'x'),
    ])
      expect((await outcome).ok).toBe(false)
    expect((await alice.engine.edit(id, own, 'from alice')).ok).toBe(true)
    expect(await alice.dump()).toBe(before)
  })

  it('of a message that has not left yet arrives as what it says now', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    world.relayUp = false
    const { messageId } = await alice.send(id, 'typo')
    await done(alice.engine.edit(id, messageId, 'no typo'))
    world.relayUp = true
    await find(bob, id, 'no typo')
    await settled(alice, bob, id)
  })

  it('reaches a contact who has lost the session', async () => {
    const { alice, bob, id } = await talking(new TestWorld())
    await loseSessions(bob)
    await done(alice.engine.edit(id, await find(alice, id, 'from alice'), 'after the loss'))
    await find(bob, id, 'after the loss')
    await settled(alice, bob, id)
  })
})

describe('a deletion for both', () => {
  it('leaves nothing of the message on either side', async () => {
    const { alice, bob, id } = await talking(new TestWorld())
    const own = await find(alice, id, 'from alice')
    const theirs = await find(bob, id, 'from alice')
    await done(alice.engine.edit(id, own, 'edited'))
    await find(bob, id, 'edited')
    await done(bob.engine.react(id, theirs, '👍'))
    await settled(alice, bob, id)
    await done(alice.engine.deleteForEveryone(id, [own]))
    await expect.poll(async () => (await seenBy(bob, id)).at(-1)?.deleted, soon).toBe(true)
    await settled(alice, bob, id)
    for (const who of [alice, bob]) {
      const { messages, earlier } = await rowsOf(who)
      expect(earlier).toEqual([])
      expect(messages.at(-1)).not.toHaveProperty('text')
      expect(messages.at(-1)).not.toHaveProperty('reactionThere')
      expect(who.conversation(id)?.last).toMatchObject({ deleted: true })
      expect(who.conversation(id)?.last?.text).toBeUndefined()
    }
    expect((await alice.engine.edit(id, own, 'again')).ok).toBe(false)
    expect((await bob.engine.react(id, theirs, '👍')).ok).toBe(false)
    expect((await alice.engine.deleteForEveryone(id, [await find(alice, id, 'from bob')])).ok).toBe(false)
  })

  it('of what has not left yet keeps it from leaving', async () => {
    const world = new TestWorld()
    const { alice, bob, id } = await talking(world)
    world.relayUp = false
    const { messageId } = await alice.send(id, 'regretted')
    await done(alice.engine.deleteForEveryone(id, [messageId]))
    world.relayUp = true
    await alice.send(id, 'afterwards')
    await find(bob, id, 'afterwards')
    expect(await bob.texts(id)).not.toContain('regretted')
    await expect.poll(async () => (await rowsOf(alice)).outbox, soon).toEqual([])
  })
})

describe('a reaction', () => {
  it('of each side stands at the message, is replaced, and taken back', async () => {
    const { alice, bob, id } = await talking(new TestWorld())
    const atAlice = await find(alice, id, 'from bob')
    const atBob = await find(bob, id, 'from bob')
    await done(alice.engine.react(id, atAlice, '👍'))
    await done(bob.engine.react(id, atBob, '👩🏽‍❤️‍💋‍👨🏼'))
    await expect.poll(async () => (await seenBy(bob, id))[0]?.reactions, soon).toEqual(['👍', '👩🏽‍❤️‍💋‍👨🏼'])
    await done(alice.engine.react(id, atAlice, '😂'))
    await done(bob.engine.react(id, atBob, null))
    await expect.poll(async () => (await seenBy(bob, id))[0]?.reactions, soon).toEqual(['😂', undefined])
    await settled(alice, bob, id)
  })

  it.each(['', 'x', '👍👍', 'no', '1'])('of “%s” is refused', async (emoji) => {
    const { alice, id } = await talking(new TestWorld())
    expect((await alice.engine.react(id, await find(alice, id, 'from bob'), emoji)).ok).toBe(false)
  })
})

describe('a deletion here', () => {
  it('takes the message away on this side alone, with what is unread and the last words', async () => {
    const { alice, bob, id } = await talking(new TestWorld())
    await bob.send(id, 'one')
    await bob.send(id, 'two')
    const [one, two] = [await find(alice, id, 'one'), await find(alice, id, 'two')]
    expect(alice.conversation(id)).toMatchObject({ unread: 3, messages: 4 })
    await done(alice.engine.removeMessages(id, [two]))
    expect(alice.conversation(id)).toMatchObject({ unread: 2, messages: 3, last: { text: 'one' } })
    await done(alice.engine.removeMessages(id, [one, await find(alice, id, 'from bob'), two]))
    expect(alice.conversation(id)).toMatchObject({ unread: 0, messages: 1, last: { text: 'from alice' } })
    expect(await alice.texts(id)).toEqual(['from alice'])
    expect(await bob.texts(id)).toEqual(['from bob', 'from alice', 'one', 'two'])
    expect(alice.events.filter(({ kind }) => kind === 'removed')).toHaveLength(2)
    await done(bob.engine.edit(id, await find(bob, id, 'two'), 'edited'))
    await bob.send(id, 'three')
    await find(alice, id, 'three')
    expect(await alice.texts(id)).toEqual(['from alice', 'three'])
    await expect.poll(async () => (await rowsOf(alice)).early, soon).toEqual([])
    await alice.engine.markRead(id, Number.MAX_SAFE_INTEGER)
    expect(alice.conversation(id)?.unread).toBe(0)
  })
})

/** Every kind of trouble at once, and both at work. */
const trouble = { lose: 0.2, loseAnswer: 0.2, swallow: 0.1, duplicate: 0.3, reorder: 0.5, delayMs: 15 }

describe.each([1, 2, 3])('in every kind of trouble (seed %i)', (seed) => {
  it('both sides end with the same words, marks and deletions', async () => {
    const world = new TestWorld(seed)
    const chance = seeded(seed * 1_000)
    const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(chance() * list.length)]
    const { alice, bob, id } = await talking(world, { pace: { offerAgainMs: [60, 400] } })
    world.faults = trouble
    const act = async (who: Person, step: number): Promise<void> => {
      const all = (await who.messages(id)).filter(({ notice }) => notice === undefined)
      const message = pick(all)
      const own = pick(all.filter(({ mine }) => mine))
      const what = chance()
      if (what < 0.3 || !message || !own) await who.send(id, `${who.options.name} ${step}`)
      else if (what < 0.6) await who.engine.edit(id, own.messageId, `${who.options.name} edits ${step}`)
      else if (what < 0.9) await who.engine.react(id, message.messageId, pick(['👍', '😂', '❤️', null]) ?? null)
      else await who.engine.deleteForEveryone(id, [own.messageId])
    }
    for (let step = 0; step < 60; step++) await act(step % 2 === 0 ? alice : bob, step)
    world.faults = {}
    for (const who of people) {
      await expect.poll(async () => (await rowsOf(who)).outbox, { timeout: 60_000, interval: 200 }).toEqual([])
    }
    // What was deleted before it had left is on one side only, as the mark of a deletion.
    const words = async (who: Person) =>
      (await seenBy(who, id))
        .filter(({ deleted }) => !deleted)
        .map((one) => JSON.stringify(one))
        .toSorted()
    expect(await words(alice)).toEqual(await words(bob))
  }, 120_000)
})

/** As every step that receives something: it knows whose database this is. */
const receiving = <T>(who: Person, act: (tx: WriteTransaction) => Promise<T>): Promise<T> =>
  inStore(who, async (tx) => {
    await tx.get(accountTable, [0])
    return act(tx)
  })

const core = { now: () => Date.now(), random } as unknown as Core

describe('what comes in another order', () => {
  it('counts by its revision, and what was overtaken is remembered as said before', async () => {
    const { alice, id } = await talking(new TestWorld())
    const name = await find(alice, id, 'from bob')
    const { messageId } = referenceOf(name)
    await alice.close()
    const receive = (change: Change) =>
      receiving(alice, (tx) => receiveChange(tx, core, createEffects(), fromHex(id), change, Date.now()))
    const emojis = ['', '👍', '😂', '😮']
    for (const revision of [1, 3, 2, 3, 0]) {
      await receive({ kind: 'edit', messageId, revision, text: `revision ${revision}` })
      const target = { messageId, bySender: true }
      await receive({ kind: 'reaction', target, revision, emoji: emojis[revision] ?? '' })
      await receive({ kind: 'reaction', target, revision: revision + 10, emoji: 'no emoji' })
    }
    await alice.open()
    expect(await alice.engine.message(id, name)).toMatchObject({ text: 'revision 3', reactions: { theirs: '😮' } })
    expect(texts(await alice.engine.earlierTexts(id, name))).toEqual(['from bob', 'revision 1', 'revision 2'])
  })

  it('brings nothing back that was deleted here, however often it comes', async () => {
    const { alice, id } = await talking(new TestWorld())
    const name = await find(alice, id, 'from bob')
    await done(alice.engine.removeMessages(id, [name]))
    await alice.close()
    const row = await receiving(alice, async (tx) => {
      const conversation = await tx.get(conversationTable, [fromHex(id)])
      if (!conversation) throw new Error('no conversation')
      const content = {
        messageId: referenceOf(name).messageId,
        conversationId: fromHex(id),
        sentAtMs: Date.now(),
        sequence: 1,
        head: random(32),
        body: { kind: 'text', text: 'from bob' },
      } as const
      const received = { content, envelopeId: random(16), now: Date.now(), clockOffsetMs: 0 }
      return addReceivedMessage(tx, createEffects(), conversation, received)
    })
    expect(row).toBeUndefined()
    await alice.open()
    expect(await alice.texts(id)).toEqual(['from alice'])
  })
})

describe('what comes before its message', () => {
  it('waits for it in its newest form, is not kept for ever, nor without limit', async () => {
    const { alice, id } = await talking(new TestWorld())
    await alice.close()
    const conversationId = fromHex(id)
    const edit = (messageId: Uint8Array, revision: number) =>
      ({ kind: 'edit', messageId, revision, text: `revision ${revision}` }) as const
    const target = random(16)
    const receive = (change: Change) =>
      receiving(alice, (tx) => receiveChange(tx, core, createEffects(), conversationId, change, Date.now()))
    for (const revision of [1, 3, 2]) await receive(edit(target, revision))
    const waiting = (await rowsOf(alice)).early
    expect(waiting.map(({ raw }) => fromBodyFrame({ code: 5, raw }))).toMatchObject([{ revision: 3 }])
    await receiving(alice, async (tx) => {
      for (let n = 0; n < 1_100; n++) {
        await receiveChange(tx, core, createEffects(), conversationId, edit(random(16), 1), Date.now())
      }
    })
    expect((await rowsOf(alice)).early).toHaveLength(1_000)
    await inStore(alice, (tx) => sweepEarlyChanges(tx, Date.now() + 1))
    expect((await rowsOf(alice)).early).toEqual([])
  })
})
