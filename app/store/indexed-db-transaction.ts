import type { IDBPDatabase, IDBPTransaction } from 'idb'
import type { Key, Range, Table, WriteTransaction } from './client-store.ts'
import type { Revocable } from './group-commit.ts'
import { ownerTable } from './records/owner.ts'
import type { AnyTable } from './schema.ts'
import { keyName, noAccount, type Sealing, type StoredKey, type StoredRow } from './sealing.ts'
import { StoreError } from './store-error.ts'

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

/** A row as it was read. */
interface Found {
  readonly key: StoredKey
  readonly row: unknown
}

type Changes = Map<string, Map<string, Change>>
type Handle = IDBPTransaction<unknown, string[]> | IDBPTransaction<unknown, string[], 'readwrite'>

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
export class StoreTransaction implements WriteTransaction, Revocable {
  readonly #connection: Connection
  readonly #handle: Handle
  readonly #changes: Changes = new Map()
  /** What was read before, since nothing but this step's own changes can alter it while the transaction lives. */
  readonly #read = new Map<string, Promise<Found[]>>()
  /** Rows of renewable tables that did not open. */
  readonly #spoiled: { readonly table: AnyTable; readonly key: StoredKey }[] = []
  #account: Uint8Array | null
  /** Takes back the changes since the last savepoint, newest last. */
  #undo: (() => void)[] = []

  constructor(connection: Connection, handle: Handle) {
    this.#connection = connection
    this.#handle = handle
    this.#account = connection.account
  }

  async get<Row>(table: Table<Row>, key: Key): Promise<Row | undefined> {
    const stored = this.#connection.sealing.blind(table.name, key)
    const change = this.#changes.get(table.name)?.get(keyName(stored))
    if (change) return change.row as Row | undefined
    const [found] = await this.#once(`${table.name} get ${keyName(stored)}`, async () => {
      const row = (await this.#handle.objectStore(table.name).get(stored)) as StoredRow | undefined
      return row ? this.#openAll(table, [stored], [row]) : []
    })
    return found?.row as Row | undefined
  }

  async find<Row>(table: Table<Row>, index: Uint8Array): Promise<Row | undefined> {
    return (await this.findAll(table, index))[0]
  }

  async findAll<Row>(table: Table<Row>, index: Uint8Array): Promise<Row[]> {
    const { sealing } = this.#connection
    const blinded = sealing.blindIndex(table.name, index)
    const name = keyName([blinded])
    const found = await this.#once(`${table.name} find ${name}`, async () => {
      const rows = this.#handle.objectStore(table.name).index('x')
      return this.#openAll(table, ...(await Promise.all([rows.getAllKeys(blinded), rows.getAll(blinded)])))
    })
    return this.#overlay(table, found, (change) => {
      const value = table.index?.(change.row as Row)
      return value !== undefined && keyName([sealing.blindIndex(table.name, value)]) === name
    })
  }

  async list<Row>(table: Table<Row>, range: Range = {}): Promise<Row[]> {
    const { after, before, reverse = false } = range
    // IndexedDB refuses a range that cannot hold anything.
    if (after !== undefined && before !== undefined && after >= before) return []
    const prefix = this.#connection.sealing.blind(table.name, range.prefix ?? [])
    const keyRange = toKeyRange(prefix, range)
    // Changed rows may take the place of read ones: that many more are read.
    const limit = range.limit === undefined ? undefined : range.limit + (this.#changes.get(table.name)?.size ?? 0)
    const name = `${table.name} list ${keyName(prefix)} ${after} ${before} ${limit} ${reverse}`
    const found = await this.#once(name, async () =>
      this.#openAll(
        table,
        ...(await (reverse ? this.#readBack(table, keyRange, limit) : this.#readOn(table, keyRange, limit))),
      ),
    )
    const merged = this.#overlay(table, found, (change) => keyRange.includes(change.key), reverse)
    return range.limit === undefined ? merged : merged.slice(0, range.limit)
  }

  put<Row>(table: Table<Row>, row: Row): void {
    this.#change(table, table.key(row), row)
  }

  delete<Row>(table: Table<Row>, key: Key): void {
    this.#change(table, key, undefined)
  }

  savepoint(): () => void {
    const undo: (() => void)[] = []
    this.#undo = undo
    return () => {
      for (const one of undo.toReversed()) one()
    }
  }

  setAccount(accountId: Uint8Array): void {
    const before = this.#account
    this.#undo.push(() => (this.#account = before))
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
    for (const { table, key } of this.#spoiled) {
      if (!this.#changes.get(table.name)?.has(keyName(key))) stored.push({ store: table.name, key, value: undefined })
    }
    const handle = this.#handle as IDBPTransaction<unknown, string[], 'readwrite'>
    await Promise.all(
      // Async, so that a put that throws at once does not leave the ones before it unheard.
      stored.map(async ({ store, key, value }) =>
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
  #overlay<Row>(
    table: Table<Row>,
    found: readonly Found[],
    belongs: (change: Change) => boolean,
    reverse = false,
  ): Row[] {
    const changes = this.#changes.get(table.name)
    if (!changes) return found.map(({ row }) => row as Row)
    const out: Found[] = found.filter(({ key }) => !changes.has(keyName(key)))
    for (const change of changes.values()) if (change.row !== undefined && belongs(change)) out.push(change)
    const sign = reverse ? -1 : 1
    return out.sort((a, b) => sign * indexedDB.cmp(a.key, b.key)).map(({ row }) => row as Row)
  }

  #once(name: string, read: () => Promise<Found[]>): Promise<Found[]> {
    const earlier = this.#read.get(name)
    if (earlier) return earlier
    const reading = read()
    this.#read.set(name, reading)
    return reading
  }

  async #openAll(table: AnyTable, keys: readonly IDBValidKey[], rows: readonly StoredRow[]): Promise<Found[]> {
    const out: Found[] = []
    for (const [i, stored] of rows.entries()) {
      const key = readKey(keys[i] as IDBValidKey)
      try {
        out.push({ key, row: await this.#open(table, key, stored) })
      } catch (cause) {
        if (!table.renewable || !(cause instanceof StoreError)) throw cause
        this.#spoiled.push({ table, key })
      }
    }
    return out
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
    const [own, name] = [changes, keyName(stored)]
    const before = own.get(name)
    this.#undo.push(() => void (before ? own.set(name, before) : own.delete(name)))
    own.set(name, { table, key: stored, row })
  }
}
