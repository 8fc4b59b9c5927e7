import { deleteDB, openDB } from 'idb'
import { afterEach, describe, expect, it } from 'vitest'
import { clientStoreSuite, conversationRow, messageRow } from './client-store.suite.ts'
import type { ClientStore } from './client-store.ts'
import { openIndexedDbStore, rawStoreNames } from './indexed-db-store.ts'
import { conversationTable } from './records/conversation.ts'
import { failureTable } from './records/failure.ts'
import { messageTable } from './records/message.ts'
import { upgradeSchema } from './schema.ts'

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))
let databases = 0
const freshName = (): string => `store-test-${databases++}-${crypto.randomUUID()}`

clientStoreSuite('IndexedDB', () => {
  const name = freshName()
  return { open: () => openIndexedDbStore({ name, random }), end: () => deleteDB(name) }
})

/** The database as it lies on the disk: every key, value and index of every store. */
const rawRows = async (name: string): Promise<{ store: string; key: unknown; value: unknown }[]> => {
  const raw = await openDB(name)
  const rows: { store: string; key: unknown; value: unknown }[] = []
  for (const store of rawStoreNames) {
    const [keys, values] = await Promise.all([raw.getAllKeys(store), raw.getAll(store)])
    keys.forEach((key, i) => rows.push({ store, key, value: values[i] as unknown }))
  }
  raw.close()
  return rows
}

describe('the IndexedDB store', () => {
  const name = freshName()
  const opened: ClientStore[] = []
  const open = async (onClosed?: () => void): Promise<ClientStore> => {
    const store = await openIndexedDbStore({ name, random, ...(onClosed ? { onClosed } : {}) })
    opened.push(store)
    return store
  }
  afterEach(async () => {
    for (const store of opened.splice(0)) store.close()
    await deleteDB(name)
  })

  it('makes one vault key when two contexts open a new database at once', async () => {
    const [a, b] = await Promise.all([open(), open()])
    await a.write(async (tx) => tx.put(conversationTable, conversationRow(1)))
    expect(await b.read((tx) => tx.list(conversationTable))).toEqual([conversationRow(1)])
  })

  it('keeps the wrapping key where no script can read it', async () => {
    await open()
    const lock = (await rawRows(name)).find((row) => row.store === 'lock')?.value as { wrappingKey: CryptoKey }
    expect(lock.wrappingKey.extractable).toBe(false)
    await expect(crypto.subtle.exportKey('raw', lock.wrappingKey)).rejects.toThrow()
  })

  it('refuses a record that was moved, changed or exchanged, with a typed error', async () => {
    const store = await open()
    await store.write(async (tx) => {
      tx.put(conversationTable, conversationRow(1))
      tx.put(conversationTable, conversationRow(2))
    })
    const raw = await openDB(name)
    const [first, second] = await raw.getAllKeys('conversations')
    await raw.put('conversations', await raw.get('conversations', second as IDBValidKey), first)
    raw.close()
    await expect(store.read((tx) => tx.list(conversationTable))).rejects.toMatchObject({ code: 'sealed' })
  })

  it('takes a row of a renewable table that does not open for one that is not there, and the next writing step removes it', async () => {
    const store = await open()
    const table = { ...conversationTable, renewable: true } as const
    await store.write(async (tx) => {
      tx.put(table, conversationRow(1))
      tx.put(table, conversationRow(2))
    })
    const raw = await openDB(name)
    const [first] = await raw.getAllKeys('conversations')
    await raw.put('conversations', { v: new Uint8Array(60) }, first)
    const left = async (): Promise<number> => (await store.read((tx) => tx.list(table))).length
    expect(await left()).toBe(1)
    expect(await raw.count('conversations')).toBe(2)
    await expect(store.read((tx) => tx.list(conversationTable))).rejects.toMatchObject({ code: 'sealed' })
    await store.write((tx) => tx.list(table))
    expect(await raw.count('conversations')).toBe(1)
    expect(await left()).toBe(1)
    // What the step itself puts there stays.
    await raw.put('conversations', { v: new Uint8Array(60) }, first)
    await store.write(async (tx) => {
      for (const fill of [1, 2]) {
        expect([undefined, conversationRow(fill)]).toContainEqual(
          await tx.get(table, [conversationRow(fill).conversationId]),
        )
        tx.put(table, conversationRow(fill))
      }
    })
    raw.close()
    expect(await left()).toBe(2)
  })

  it('opens a database of version 1 and adds what came since', async () => {
    const old = await openDB(name, 1, { upgrade: (database, from) => upgradeSchema(database, from, 1) })
    expect([...old.objectStoreNames]).not.toContain('failures')
    old.close()
    const store = await open()
    expect(await store.read((tx) => tx.list(failureTable))).toEqual([])
  })

  it('holds a renamed copy of a lock for worthless: another wrapping key does not open the vault', async () => {
    const store = await open()
    store.close()
    const raw = await openDB(name)
    const lock = (await raw.get('lock', 0)) as { wrappingKey: CryptoKey }
    const other = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['decrypt', 'encrypt'])
    await raw.put('lock', { ...lock, wrappingKey: other }, 0)
    raw.close()
    await expect(open()).rejects.toMatchObject({ name: 'StoreError', code: 'sealed' })
  })

  it('lets go at once when another context deletes the database, and says so', async () => {
    const closed = new Promise<void>((resolve) => void open(resolve))
    await expect.poll(() => opened.length).toBe(1)
    await deleteDB(name)
    await closed
    await expect(opened[0]?.read((tx) => tx.list(messageTable))).rejects.toMatchObject({ code: 'closed' })
  })

  it('says "blocked" when another context does not let go, and opens later', async () => {
    const stubborn = await openDB(name, 1, { upgrade: (database) => void database.createObjectStore('old') })
    const deletion = deleteDB(name)
    const impatient = openIndexedDbStore({ name, random, patienceMs: 50 })
    await expect(impatient).rejects.toMatchObject({ name: 'StoreError', code: 'blocked' })
    stubborn.close()
    await deletion
    const store = await open()
    expect(await store.read((tx) => tx.list(messageTable))).toEqual([])
  })

  it('says "newer-version" when the database is newer, and leaves it alone', async () => {
    const newer = await openDB(name, 99, { upgrade: (database) => void database.createObjectStore('later') })
    newer.close()
    await expect(open()).rejects.toMatchObject({ code: 'newer-version' })
    const still = await openDB(name)
    expect([...still.objectStoreNames]).toEqual(['later'])
    still.close()
  })

  it('reports a full disk as quota and changes nothing', async () => {
    const store = await open()
    await store.write(async (tx) => tx.put(conversationTable, conversationRow(1, 1)))
    // Chromium enforces no allowance in the profiles tests run in, so the third write of the step fails as it would.
    const put = IDBObjectStore.prototype.put
    let writes = 0
    IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...args: Parameters<typeof put>) {
      if (++writes === 3) throw new DOMException('full', 'QuotaExceededError')
      return put.apply(this, args)
    }
    try {
      const large = store.write(async (tx) => {
        tx.put(conversationTable, conversationRow(1, 2))
        for (let i = 0; i < 5; i++) tx.put(messageTable, messageRow(1, i))
      })
      await expect(large).rejects.toMatchObject({ name: 'StoreError', code: 'quota' })
    } finally {
      IDBObjectStore.prototype.put = put
    }
    expect((await store.read((tx) => tx.list(conversationTable)))[0]?.messages).toBe(1)
    expect(await store.read((tx) => tx.list(messageTable))).toEqual([])
  })

  it('writes steps that wait for the disk in one transaction', async () => {
    const store = await open()
    const begin = IDBDatabase.prototype.transaction
    let transactions = 0
    IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...args: Parameters<typeof begin>) {
      transactions++
      return begin.apply(this, args)
    }
    try {
      const steps = Array.from({ length: 65 }, (_, i) =>
        store.write(async (tx) => tx.put(messageTable, messageRow(1, i + 1))),
      )
      await Promise.all(steps)
    } finally {
      IDBDatabase.prototype.transaction = begin
    }
    expect(transactions).toBe(2)
    expect(await store.read((tx) => tx.list(messageTable))).toHaveLength(65)
  })

  it('reads the last 50 of many without touching the rest', async () => {
    const store = await open()
    await store.write(async (tx) => {
      for (let i = 1; i <= 500; i++) tx.put(messageTable, messageRow(1, i))
    })
    // One damaged row before the last 50: reading it would throw.
    const raw = await openDB(name)
    const keys = await raw.getAllKeys('messages')
    await raw.put('messages', { v: new Uint8Array(60) }, keys[449] as IDBValidKey)
    raw.close()
    const conversation = messageRow(1, 1).conversationId
    const last = await store.read((tx) => tx.list(messageTable, { prefix: [conversation], limit: 50, reverse: true }))
    expect(last.map((row) => row.position)).toEqual(Array.from({ length: 50 }, (_, i) => 500 - i))
    const more = store.read((tx) => tx.list(messageTable, { prefix: [conversation], limit: 51, reverse: true }))
    await expect(more).rejects.toMatchObject({ code: 'sealed' })
  })
})
