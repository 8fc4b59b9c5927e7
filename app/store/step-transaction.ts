import type { Key, Range, Table, WriteTransaction } from './client-store.ts'
import type { Revocable } from './group-commit.ts'
import { ownerTable } from './records/owner.ts'
import type { AnyTable } from './schema.ts'
import { keyName, noAccount, type Sealing, type StoredKey, type StoredRow } from './sealing.ts'
import { StoreError } from './store-error.ts'
import { boundsOf, compareKeys, isWithin, type KeyBounds } from './stored-key.ts'

/** What every step of one open database shares. */
export interface Vault {
  readonly sealing: Sealing
  /** The account rows are sealed for; null until it is known to exist. Never changes once set. */
  account: Uint8Array | null
}

/** A row as it stands on the disk, with its key. */
export interface StoredEntry {
  readonly key: StoredKey
  readonly row: StoredRow
}

/** A row to be stored, or (undefined) to be removed. */
export interface StoredChange {
  readonly store: string
  readonly key: StoredKey
  readonly row: StoredRow | undefined
}

/** One transaction of a database, as far as it deals in sealed rows. Ascending by key, except `list` in reverse. */
export interface SealedRows {
  get(store: string, key: StoredKey): Promise<StoredRow | undefined>
  findAll(store: string, index: Uint8Array<ArrayBuffer>): Promise<StoredEntry[]>
  list(store: string, bounds: KeyBounds, limit: number | undefined, reverse: boolean): Promise<StoredEntry[]>
  write(changes: readonly StoredChange[]): Promise<void>
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

/** Reads through the step's own unwritten changes, so that a step sees what it has put. The same for every database. */
export class StepTransaction implements WriteTransaction, Revocable {
  readonly #vault: Vault
  readonly #rows: SealedRows
  readonly #changes: Changes = new Map()
  /** What was read before, since nothing but this step's own changes can alter it while the transaction lives. */
  readonly #read = new Map<string, Promise<Found[]>>()
  /** Rows of renewable tables that did not open. */
  readonly #spoiled: { readonly table: AnyTable; readonly key: StoredKey }[] = []
  #account: Uint8Array | null
  /** Takes back the changes since the last savepoint, newest last. */
  #undo: (() => void)[] = []

  constructor(vault: Vault, rows: SealedRows) {
    this.#vault = vault
    this.#rows = rows
    this.#account = vault.account
  }

  async get<Row>(table: Table<Row>, key: Key): Promise<Row | undefined> {
    const stored = this.#vault.sealing.blind(table.name, key)
    const change = this.#changes.get(table.name)?.get(keyName(stored))
    if (change) return change.row as Row | undefined
    const [found] = await this.#once(`${table.name} get ${keyName(stored)}`, async () => {
      const row = await this.#rows.get(table.name, stored)
      return row ? this.#openAll(table, [{ key: stored, row }]) : []
    })
    return found?.row as Row | undefined
  }

  async find<Row>(table: Table<Row>, index: Uint8Array): Promise<Row | undefined> {
    return (await this.findAll(table, index))[0]
  }

  async findAll<Row>(table: Table<Row>, index: Uint8Array): Promise<Row[]> {
    const { sealing } = this.#vault
    const blinded = sealing.blindIndex(table.name, index)
    const name = keyName([blinded])
    const found = await this.#once(`${table.name} find ${name}`, async () =>
      this.#openAll(table, await this.#rows.findAll(table.name, blinded)),
    )
    return this.#overlay(table, found, (change) => {
      const value = table.index?.(change.row as Row)
      return value !== undefined && keyName([sealing.blindIndex(table.name, value)]) === name
    })
  }

  async list<Row>(table: Table<Row>, range: Range = {}): Promise<Row[]> {
    const { after, before, reverse = false } = range
    const prefix = this.#vault.sealing.blind(table.name, range.prefix ?? [])
    const bounds = boundsOf(prefix, range)
    if (!bounds) return []
    const read = (limit: number | undefined): Promise<Found[]> =>
      this.#once(`${table.name} list ${keyName(prefix)} ${after} ${before} ${limit} ${reverse}`, async () =>
        this.#openAll(table, await this.#rows.list(table.name, bounds, limit, reverse)),
      )
    const { limit } = range
    let found = await read(limit)
    const changes = this.#changes.get(table.name)
    if (
      limit !== undefined &&
      changes &&
      found.length === limit &&
      found.some(({ key }) => changes.has(keyName(key)))
    ) {
      // What this step has changed was read in vain, so as many more may be needed; usually one page is read, and once in a step.
      found = await read(limit + changes.size)
    }
    const merged = this.#overlay(table, found, (change) => isWithin(change.key, bounds), reverse)
    return limit === undefined ? merged : merged.slice(0, limit)
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

  /** Writes the changes. The rows must belong to a read-write transaction. */
  async flush(): Promise<void> {
    const { sealing } = this.#vault
    const account = this.#account ?? noAccount
    const changed = [...this.#changes.values()].flatMap((changes) => [...changes.values()])
    // All sealing before the first request: a row that does not encode must not leave requests behind.
    const stored: StoredChange[] = changed.map(({ table, key, row }) => ({
      store: table.name,
      key,
      row: row === undefined ? undefined : sealing.seal(table, account, key, row),
    }))
    for (const { table, key } of this.#spoiled) {
      if (!this.#changes.get(table.name)?.has(keyName(key))) stored.push({ store: table.name, key, row: undefined })
    }
    await this.#rows.write(stored)
  }

  /** After the commit: what this step learned about the account holds for later ones. */
  remember(): void {
    this.#vault.account = this.#account
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
    return out.sort((a, b) => sign * compareKeys(a.key, b.key)).map(({ row }) => row as Row)
  }

  #once(name: string, read: () => Promise<Found[]>): Promise<Found[]> {
    const earlier = this.#read.get(name)
    if (earlier) return earlier
    const reading = read()
    this.#read.set(name, reading)
    return reading
  }

  async #openAll(table: AnyTable, entries: readonly StoredEntry[]): Promise<Found[]> {
    const out: Found[] = []
    for (const { key, row } of entries) {
      try {
        out.push({ key, row: await this.#open(table, key, row) })
      } catch (cause) {
        if (!table.renewable || !(cause instanceof StoreError)) throw cause
        this.#spoiled.push({ table, key })
      }
    }
    return out
  }

  async #open<Row>(table: Table<Row>, key: StoredKey, stored: StoredRow): Promise<Row> {
    return this.#vault.sealing.open(table, await this.#accountFor(table), key, stored)
  }

  /** Another context may have made the account since this one opened the database. */
  async #accountFor(table: AnyTable): Promise<Uint8Array> {
    if (this.#account || table.beforeAccount) return this.#account ?? noAccount
    this.#account = (await this.get(ownerTable, [0]))?.accountId ?? null
    return this.#account ?? noAccount
  }

  #change(table: AnyTable, key: Key, row: unknown): void {
    const stored = this.#vault.sealing.blind(table.name, key)
    let changes = this.#changes.get(table.name)
    if (!changes) this.#changes.set(table.name, (changes = new Map()))
    const [own, name] = [changes, keyName(stored)]
    const before = own.get(name)
    this.#undo.push(() => void (before ? own.set(name, before) : own.delete(name)))
    own.set(name, { table, key: stored, row })
  }
}
