import type { IDBPDatabase, IDBPTransaction } from 'idb'
import type { Key, Range, Table, WriteTransaction } from './client-store.ts'
import { ownerTable } from './records/owner.ts'
import type { AnyTable } from './schema.ts'
import { keyName, noAccount, type Sealing, type StoredKey, type StoredRow } from './sealing.ts'

/** What a transaction needs to know of its database. */
export interface Connection {
  readonly database: IDBPDatabase
  readonly sealing: Sealing
  /** The account rows are sealed for; null until it is known to exist. Never changes once set. */
  account: Uint8Array | null
}

interface Change {
  readonly table: AnyTable
  readonly key: StoredKey
  /** Undefined: deleted. */
  readonly row: unknown
}

type Changes = Map<string, Map<string, Change>>
type Handle = IDBPTransaction<unknown, string[], 'readonly'> | IDBPTransaction<unknown, string[], 'readwrite'>

/** Binary parts of keys come back as ArrayBuffer. */
const readKey = (key: IDBValidKey): StoredKey =>
  (key as (ArrayBuffer | number)[]).map((part) => (typeof part === 'number' ? part : new Uint8Array(part)))

/** Everything that starts with the prefix; arrays sort after every number and byte string. */
const toKeyRange = (prefix: StoredKey, { after, before }: Range): IDBKeyRange =>
  IDBKeyRange.bound(
    after === undefined ? prefix : [...prefix, after],
    before === undefined ? [...prefix, []] : [...prefix, before],
    after !== undefined,
    before !== undefined,
  )

/** Reads through the step's own unwritten changes, so that a step sees what it has put. */
export class StoreTransaction implements WriteTransaction {
  readonly #connection: Connection
  readonly #handle: Handle
  readonly #changes: Changes = new Map()
  #account: Uint8Array | null

  constructor(connection: Connection, handle: Handle) {
    this.#connection = connection
    this.#handle = handle
    this.#account = connection.account
  }

  async get<Row>(table: Table<Row>, key: Key): Promise<Row | undefined> {
    const stored = this.#connection.sealing.blind(table.name, key)
    const change = this.#changes.get(table.name)?.get(keyName(stored))
    if (change) return change.row as Row | undefined
    const found = (await this.#handle.objectStore(table.name).get(stored)) as StoredRow | undefined
    return found && this.#open(table, stored, found)
  }

  async find<Row>(table: Table<Row>, index: Uint8Array): Promise<Row | undefined> {
    return (await this.findAll(table, index))[0]
  }

  async findAll<Row>(table: Table<Row>, index: Uint8Array): Promise<Row[]> {
    const { sealing } = this.#connection
    const blinded = sealing.blindIndex(table.name, index)
    const found = this.#handle.objectStore(table.name).index('x')
    const [keys, rows] = await Promise.all([found.getAllKeys(blinded), found.getAll(blinded)])
    const name = keyName([blinded])
    return this.#overlay(table, keys, rows, (change) => {
      const value = table.index?.(change.row as Row)
      return value !== undefined && keyName([sealing.blindIndex(table.name, value)]) === name
    })
  }

  async list<Row>(table: Table<Row>, range: Range = {}): Promise<Row[]> {
    // IndexedDB refuses a range that cannot hold anything.
    if (range.after !== undefined && range.before !== undefined && range.after >= range.before) return []
    const prefix = this.#connection.sealing.blind(table.name, range.prefix ?? [])
    const keyRange = toKeyRange(prefix, range)
    const changes = this.#changes.get(table.name)?.size ?? 0
    // Changed rows may take the place of read ones: that many more are read.
    const limit = range.limit === undefined ? undefined : range.limit + changes
    const [keys, rows] = range.reverse
      ? await this.#readBack(table, keyRange, limit)
      : await this.#readOn(table, keyRange, limit)
    const merged = await this.#overlay(table, keys, rows, (change) => keyRange.includes(change.key), range.reverse)
    return range.limit === undefined ? merged : merged.slice(0, range.limit)
  }

  put<Row>(table: Table<Row>, row: Row): void {
    this.#change(table, table.key(row), row)
  }

  delete<Row>(table: Table<Row>, key: Key): void {
    this.#change(table, key, undefined)
  }

  setAccount(accountId: Uint8Array): void {
    this.#account = accountId
    this.put(ownerTable, { accountId })
  }

  /** Writes the changes. The handle must belong to a read-write transaction. */
  async flush(): Promise<void> {
    const { sealing } = this.#connection
    const account = this.#account ?? noAccount
    const rows = [...this.#changes.values()].flatMap((changes) => [...changes.values()])
    // All sealing before the first request: a row that does not encode must not leave requests behind.
    const stored = rows.map(({ table, key, row }) => ({
      store: table.name,
      key,
      value: row === undefined ? undefined : sealing.seal(table, account, key, row),
    }))
    const handle = this.#handle as IDBPTransaction<unknown, string[], 'readwrite'>
    await Promise.all(
      stored.map(({ store, key, value }) =>
        value === undefined ? handle.objectStore(store).delete(key) : handle.objectStore(store).put(value, key),
      ),
    )
  }

  /** After the commit: what this step learned about the account holds for later ones. */
  remember(): void {
    this.#connection.account = this.#account
  }

  async #readOn(table: AnyTable, range: IDBKeyRange, limit?: number): Promise<[IDBValidKey[], StoredRow[]]> {
    const store = this.#handle.objectStore(table.name)
    return Promise.all([store.getAllKeys(range, limit), store.getAll(range, limit)])
  }

  async #readBack(table: AnyTable, range: IDBKeyRange, limit?: number): Promise<[IDBValidKey[], StoredRow[]]> {
    const keys: IDBValidKey[] = []
    const rows: StoredRow[] = []
    let cursor = await this.#handle.objectStore(table.name).openCursor(range, 'prev')
    while (cursor && (limit === undefined || keys.length < limit)) {
      keys.push(cursor.primaryKey)
      rows.push(cursor.value as StoredRow)
      if (keys.length === limit) break
      cursor = await cursor.continue()
    }
    return [keys, rows]
  }

  /** Rows as read, with this step's changes in their places. */
  async #overlay<Row>(
    table: Table<Row>,
    keys: readonly IDBValidKey[],
    rows: readonly StoredRow[],
    belongs: (change: Change) => boolean,
    reverse = false,
  ): Promise<Row[]> {
    const changes = this.#changes.get(table.name)
    const out: { key: StoredKey; row: Row }[] = []
    for (const [i, stored] of rows.entries()) {
      const key = readKey(keys[i] as IDBValidKey)
      if (!changes?.has(keyName(key))) out.push({ key, row: await this.#open(table, key, stored) })
    }
    if (!changes) return out.map(({ row }) => row)
    for (const change of changes.values()) {
      if (change.row !== undefined && belongs(change)) out.push({ key: change.key, row: change.row as Row })
    }
    const sign = reverse ? -1 : 1
    return out.sort((a, b) => sign * indexedDB.cmp(a.key, b.key)).map(({ row }) => row)
  }

  async #open<Row>(table: Table<Row>, key: StoredKey, stored: StoredRow): Promise<Row> {
    return this.#connection.sealing.open(table, await this.#accountFor(table), key, stored)
  }

  /** Another context may have made the account since this one opened the database. */
  async #accountFor(table: AnyTable): Promise<Uint8Array> {
    if (this.#account || table.beforeAccount) return this.#account ?? noAccount
    this.#account = (await this.get(ownerTable, [0]))?.accountId ?? null
    return this.#account ?? noAccount
  }

  #change(table: AnyTable, key: Key, row: unknown): void {
    const stored = this.#connection.sealing.blind(table.name, key)
    let changes = this.#changes.get(table.name)
    if (!changes) this.#changes.set(table.name, (changes = new Map()))
    changes.set(keyName(stored), { table, key: stored, row })
  }
}
