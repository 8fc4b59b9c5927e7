import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClientStore } from './client-store.ts'
import { conversationTable, type ConversationRow } from './records/conversation.ts'
import { diagnosticTable } from './records/diagnostic.ts'
import { messageIndex, messageTable, type MessageRow } from './records/message.ts'
import { envelopeDay, envelopeTable } from './records/envelope.ts'

const id = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill)

export const conversationRow = (fill: number, messages = 0): ConversationRow => ({
  conversationId: id(16, fill),
  contactId: id(32, fill),
  messages,
  unread: 0,
  lastPosition: 0,
  draft: '',
  nextSequence: 1,
  highestSequence: 0,
  createdAtMs: 1,
  hidden: false,
})

export const messageRow = (conversation: number, position: number, text = `message ${position}`): MessageRow => {
  const messageId = new Uint8Array(16)
  new DataView(messageId.buffer).setFloat64(0, position)
  return {
    conversationId: id(16, conversation),
    position,
    messageId,
    mine: false,
    text,
    sentAtMs: 1,
    orderMs: 1,
    sequence: Math.floor(position),
    seen: false,
  }
}

/** What every implementation of `ClientStore` keeps. `open` gives another connection to the same, fresh database each time. */
export const clientStoreSuite = (
  name: string,
  begin: () => { open: () => Promise<ClientStore>; end: () => Promise<void> },
): void => {
  describe(`${name} as a client store`, () => {
    let database: ReturnType<typeof begin>
    let store: ClientStore
    beforeEach(async () => {
      database = begin()
      store = await database.open()
    })
    afterEach(async () => {
      store.close()
      await database.end()
    })

    it('gives back what was written, also over another connection', async () => {
      await store.write(async (tx) => tx.put(conversationTable, conversationRow(1, 7)))
      expect(await store.read((tx) => tx.get(conversationTable, [id(16, 1)]))).toEqual(conversationRow(1, 7))
      const other = await database.open()
      expect(await other.read((tx) => tx.get(conversationTable, [id(16, 1)]))).toEqual(conversationRow(1, 7))
      expect(await other.read((tx) => tx.get(conversationTable, [id(16, 2)]))).toBeUndefined()
      other.close()
    })

    it('stores nothing of a step that throws, and gives the same error back', async () => {
      const failure = new Error('the step failed')
      const step = store.write(async (tx) => {
        tx.put(conversationTable, conversationRow(1))
        tx.put(messageTable, messageRow(1, 1))
        await tx.list(messageTable)
        throw failure
      })
      await expect(step).rejects.toBe(failure)
      expect(await store.read((tx) => tx.list(conversationTable))).toEqual([])
      expect(await store.read((tx) => tx.list(messageTable))).toEqual([])
    })

    it('keeps steps that run together apart: one that throws takes nothing of the others with it', async () => {
      const failure = new Error('the step failed')
      const put = (fill: number, messages: number) =>
        store.write(async (tx) => {
          const row = await tx.get(conversationTable, [id(16, fill)])
          tx.put(conversationTable, conversationRow(fill, (row?.messages ?? 0) + messages))
        })
      const fail = store.write(async (tx) => {
        tx.setAccount(id(32, 3))
        tx.put(conversationTable, conversationRow(1, 100))
        tx.put(conversationTable, conversationRow(2, 100))
        tx.delete(conversationTable, [id(16, 3)])
        throw failure
      })
      const settled = await Promise.allSettled([put(1, 1), put(3, 1), fail, put(1, 1), put(2, 1)])
      expect(settled.map(({ status }) => status)).toEqual([
        'fulfilled',
        'fulfilled',
        'rejected',
        'fulfilled',
        'fulfilled',
      ])
      const rows = await store.read((tx) => tx.list(conversationTable))
      expect(rows.map((row) => [row.conversationId[0], row.messages]).sort()).toEqual([
        [1, 2],
        [2, 1],
        [3, 1],
      ])
    })

    it('finishes what was begun before it is closed', async () => {
      const steps = [1, 2, 3].map((fill) =>
        store.write(async (tx) => {
          await tx.list(messageTable)
          tx.put(conversationTable, conversationRow(fill))
        }),
      )
      store.close()
      await Promise.all(steps)
      store = await database.open()
      expect(await store.read((tx) => tx.list(conversationTable))).toHaveLength(3)
    })

    it('lets a step see its own changes in every kind of reading', async () => {
      await store.write(async (tx) => {
        for (const position of [1, 2, 3]) tx.put(messageTable, messageRow(1, position))
      })
      await store.write(async (tx) => {
        tx.put(messageTable, messageRow(1, 2, 'changed'))
        tx.put(messageTable, messageRow(1, 2.5))
        tx.delete(messageTable, [id(16, 1), 3])
        const read = async (range: { reverse?: boolean; limit?: number; after?: number; before?: number }) =>
          (await tx.list(messageTable, { prefix: [id(16, 1)], ...range })).map((row) => row.text)
        expect(await read({})).toEqual(['message 1', 'changed', 'message 2.5'])
        expect(await read({ reverse: true, limit: 2 })).toEqual(['message 2.5', 'changed'])
        expect(await read({ after: 1, before: 2.5 })).toEqual(['changed'])
        expect((await tx.get(messageTable, [id(16, 1), 2]))?.text).toBe('changed')
        expect(await tx.get(messageTable, [id(16, 1), 3])).toBeUndefined()
        const gone = messageRow(1, 3)
        expect(await tx.find(messageTable, messageIndex(gone.conversationId, false, gone.messageId))).toBeUndefined()
        const fresh = messageRow(1, 2.5)
        expect(await tx.find(messageTable, messageIndex(fresh.conversationId, false, fresh.messageId))).toEqual(fresh)
      })
      expect((await store.read((tx) => tx.list(messageTable))).map((row) => row.text)).toEqual([
        'message 1',
        'changed',
        'message 2.5',
      ])
    })

    it('reads on where a step has taken away what was asked for', async () => {
      await store.write(async (tx) => {
        for (const position of [1, 2, 3, 4]) tx.put(messageTable, messageRow(1, position))
      })
      await store.write(async (tx) => {
        tx.delete(messageTable, [id(16, 1), 4])
        tx.delete(messageTable, [id(16, 1), 3])
        const last = await tx.list(messageTable, { prefix: [id(16, 1)], reverse: true, limit: 2 })
        expect(last.map((row) => row.text)).toEqual(['message 2', 'message 1'])
      })
    })

    it('lists one prefix in order, with bounds and limits from either end', async () => {
      await store.write(async (tx) => {
        for (const position of [5, 1, 4, 2, 3]) tx.put(messageTable, messageRow(1, position))
        tx.put(messageTable, messageRow(2, 9))
      })
      const list = async (range: { after?: number; before?: number; limit?: number; reverse?: boolean }) =>
        (await store.read((tx) => tx.list(messageTable, { prefix: [id(16, 1)], ...range }))).map((row) => row.position)
      expect(await list({})).toEqual([1, 2, 3, 4, 5])
      expect(await list({ limit: 2 })).toEqual([1, 2])
      expect(await list({ limit: 2, reverse: true })).toEqual([5, 4])
      expect(await list({ before: 4, limit: 2, reverse: true })).toEqual([3, 2])
      expect(await list({ after: 4 })).toEqual([5])
      expect(await list({ after: 5 })).toEqual([])
      expect(await list({ after: 3, before: 3 })).toEqual([])
      expect(await list({ after: 3, before: 2, reverse: true })).toEqual([])
    })

    it('finds every row of one index value', async () => {
      const row = (fill: number, day: number) => ({ envelopeId: id(16, fill), contactId: id(32, 1), day })
      await store.write(async (tx) => {
        for (const fill of [1, 2]) tx.put(envelopeTable, row(fill, 7))
        tx.put(envelopeTable, row(3, 8))
      })
      const found = await store.read((tx) => tx.findAll(envelopeTable, envelopeDay(7)))
      expect(found.map((envelope) => envelope.envelopeId[0]).sort()).toEqual([1, 2])
      expect(await store.read((tx) => tx.findAll(envelopeTable, envelopeDay(9)))).toEqual([])
    })

    it('never overlaps two writing steps, over any connections', async () => {
      const other = await database.open()
      const step = (from: ClientStore) =>
        from.write(async (tx) => {
          const row = (await tx.get(conversationTable, [id(16, 1)])) ?? conversationRow(1)
          await tx.list(messageTable)
          tx.put(conversationTable, { ...row, messages: row.messages + 1 })
        })
      await Promise.all(Array.from({ length: 40 }, (_, i) => step(i % 2 ? store : other)))
      expect((await store.read((tx) => tx.get(conversationTable, [id(16, 1)])))?.messages).toBe(40)
      other.close()
    })

    it('refuses a step that awaits anything else, and stores nothing of it', async () => {
      const step = store.write(async (tx) => {
        await tx.get(conversationTable, [id(16, 1)])
        tx.put(conversationTable, conversationRow(1))
        await new Promise<void>((resolve) => {
          const { port1, port2 } = new MessageChannel()
          port1.onmessage = () => resolve()
          port2.postMessage(null)
        })
        tx.put(conversationTable, conversationRow(2))
      })
      await expect(step).rejects.toMatchObject({ name: 'StoreError', code: 'inactive' })
      expect(await store.read((tx) => tx.list(conversationTable))).toEqual([])
    })

    it('is closed after close', async () => {
      store.close()
      await expect(store.read((tx) => tx.list(conversationTable))).rejects.toMatchObject({ code: 'closed' })
      await expect(store.write(async () => undefined)).rejects.toMatchObject({ code: 'closed' })
    })

    it('seals for the account once there is one, for every connection, and keeps earlier rows readable', async () => {
      const other = await database.open()
      const line = { number: 1, atMs: 1, area: 'relay', code: 'offline', detail: '' } as const
      await store.write(async (tx) => tx.put(diagnosticTable, line))
      await store.write(async (tx) => {
        tx.setAccount(id(32, 9))
        tx.put(conversationTable, conversationRow(1))
      })
      expect(await other.read((tx) => tx.list(conversationTable))).toEqual([conversationRow(1)])
      await other.write(async (tx) => tx.put(conversationTable, conversationRow(2)))
      expect(await store.read((tx) => tx.list(conversationTable))).toHaveLength(2)
      expect(await store.read((tx) => tx.list(diagnosticTable))).toEqual([line])
      other.close()
    })

    it('is empty after destroy', async () => {
      await store.write(async (tx) => tx.put(conversationTable, conversationRow(1)))
      await store.destroy()
      store = await database.open()
      expect(await store.read((tx) => tx.list(conversationTable))).toEqual([])
    })
  })
}
