import { deleteDB } from 'idb'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { ClientStore } from '../store/client-store.ts'
import { openIndexedDbStore } from '../store/indexed-db-store.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { messageTable, type MessageRow } from '../store/records/message.ts'
import { addOwnMessage, addReceivedMessage, newConversation } from './conversations.ts'
import { createEffects } from './effects.ts'
import { random } from './person.fixture.ts'

const conversationId = new Uint8Array(16).fill(1)
const stores: { store: ClientStore; name: string }[] = []
afterEach(async () => {
  for (const { store, name } of stores.splice(0)) {
    store.close()
    await deleteDB(name)
  }
})

interface Arrival {
  readonly sequence: number
  readonly sentAtMs: number
}

/** Receives (`sequence` above 0) or writes (0) in the given order, and reads the conversation back. */
const play = async (events: readonly Arrival[], now: () => number): Promise<MessageRow[]> => {
  const name = `positions-${crypto.randomUUID()}`
  const store = await openIndexedDbStore({ name, random })
  stores.push({ store, name })
  await store.write(async (tx) => {
    tx.put(conversationTable, newConversation(conversationId, new Uint8Array(32), 1, false))
    for (const { sequence, sentAtMs } of events) {
      const conversation = await tx.get(conversationTable, [conversationId])
      if (!conversation) throw new Error('just written')
      if (sequence === 0) {
        addOwnMessage(tx, createEffects(), conversation, {
          messageId: random(16),
          text: 'mine',
          now: now(),
          outboxNumber: 1,
        })
        continue
      }
      const content = {
        messageId: random(16),
        conversationId,
        sentAtMs,
        sequence,
        head: new Uint8Array(32),
        body: { kind: 'text', text: `${sequence}` } as const,
      }
      await addReceivedMessage(tx, createEffects(), conversation, {
        content,
        envelopeId: random(16),
        now: now(),
        clockOffsetMs: 0,
      })
    }
  })
  return store.read((tx) => tx.list(messageTable, { prefix: [conversationId] }))
}

const inOrder = (rows: readonly MessageRow[]): boolean => {
  const received = rows.filter((row) => !row.mine).map((row) => row.sequence)
  return received.every((sequence, i) => i === 0 || (received[i - 1] ?? 0) < sequence)
}

describe('the place of a message', () => {
  it("keeps each sender's order for any order of arrival and any clocks", async () => {
    const arrivals = fc
      .shuffledSubarray(
        Array.from({ length: 25 }, (_, i) => i + 1),
        { minLength: 5 },
      )
      .chain((order) =>
        fc.tuple(
          fc.constant(order),
          fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: order.length, maxLength: order.length }),
          fc.array(fc.boolean(), { minLength: order.length, maxLength: order.length }),
        ),
      )
    await fc.assert(
      fc.asyncProperty(arrivals, async ([order, times, mine]) => {
        let clock = 10_000
        const events = order.flatMap((sequence, i) => [
          ...(mine[i] ? [{ sequence: 0, sentAtMs: 0 }] : []),
          { sequence, sentAtMs: times[i] ?? 0 },
        ])
        const rows = await play(events, () => (clock += 100))
        expect(rows).toHaveLength(events.length)
        expect(inOrder(rows)).toBe(true)
        expect(rows.every((row) => row.sentAtMs <= clock)).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  it('goes by the time of sending where the sequence leaves it open', async () => {
    let clock = 1_000
    const events = [
      { sequence: 1, sentAtMs: 900 },
      { sequence: 0, sentAtMs: 0 },
      { sequence: 0, sentAtMs: 0 },
      { sequence: 2, sentAtMs: 1_250 },
    ]
    // Own messages at 1,200 and 1,300; the second of theirs was sent between them.
    const rows = await play(events, () => (clock += 100))
    expect(rows.map((row) => (row.mine ? 'mine' : row.text))).toEqual(['1', 'mine', '2', 'mine'])
  })

  it('makes room when hundreds arrive backwards between the same two', async () => {
    const events = [
      { sequence: 1, sentAtMs: 1 },
      ...Array.from({ length: 300 }, (_, i) => ({ sequence: 301 - i, sentAtMs: 1 })),
    ]
    const rows = await play(events, () => 10)
    expect(rows.map((row) => row.sequence)).toEqual(Array.from({ length: 301 }, (_, i) => i + 1))
    expect(new Set(rows.map((row) => row.position)).size).toBe(301)
  })
})
