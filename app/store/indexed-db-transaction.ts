import type { IDBPTransaction } from 'idb'
import type { StoredKey, StoredRow } from './sealing.ts'
import type { SealedRows, StoredChange, StoredEntry } from './step-transaction.ts'
import type { KeyBounds } from './stored-key.ts'

type Handle = IDBPTransaction<unknown, string[]> | IDBPTransaction<unknown, string[], 'readwrite'>

/** Binary parts of keys come back as ArrayBuffer. */
const readKey = (key: IDBValidKey): StoredKey =>
  (key as (ArrayBuffer | number)[]).map((part) => (typeof part === 'number' ? part : new Uint8Array(part)))

/** Everything that starts with the prefix; arrays sort after every number and byte string. */
const toKeyRange = ({ prefix, after, before }: KeyBounds): IDBKeyRange =>
  IDBKeyRange.bound(
    after === undefined ? prefix : [...prefix, after],
    before === undefined ? [...prefix, []] : [...prefix, before],
    after !== undefined,
    before !== undefined,
  )

const toEntries = (keys: readonly IDBValidKey[], rows: readonly unknown[]): StoredEntry[] =>
  rows.map((row, i) => ({ key: readKey(keys[i] as IDBValidKey), row: row as StoredRow }))

/** One IndexedDB transaction as a step sees it. */
export class IndexedDbRows implements SealedRows {
  readonly #handle: Handle

  constructor(handle: Handle) {
    this.#handle = handle
  }

  async get(store: string, key: StoredKey): Promise<StoredRow | undefined> {
    return (await this.#handle.objectStore(store).get(key)) as StoredRow | undefined
  }

  async findAll(store: string, index: Uint8Array<ArrayBuffer>): Promise<StoredEntry[]> {
    const rows = this.#handle.objectStore(store).index('x')
    return toEntries(...(await Promise.all([rows.getAllKeys(index), rows.getAll(index)])))
  }

  async list(store: string, bounds: KeyBounds, limit: number | undefined, reverse: boolean): Promise<StoredEntry[]> {
    const range = toKeyRange(bounds)
    if (reverse) return this.#readBack(store, range, limit)
    const rows = this.#handle.objectStore(store)
    return toEntries(...(await Promise.all([rows.getAllKeys(range, limit), rows.getAll(range, limit)])))
  }

  async write(changes: readonly StoredChange[]): Promise<void> {
    const handle = this.#handle as IDBPTransaction<unknown, string[], 'readwrite'>
    await Promise.all(
      // Async, so that a put that throws at once does not leave the ones before it unheard.
      changes.map(async ({ store, key, row }) =>
        row === undefined ? handle.objectStore(store).delete(key) : handle.objectStore(store).put(row, key),
      ),
    )
  }

  async #readBack(store: string, range: IDBKeyRange, limit?: number): Promise<StoredEntry[]> {
    const entries: StoredEntry[] = []
    let cursor = await this.#handle.objectStore(store).openCursor(range, 'prev')
    while (cursor && (limit === undefined || entries.length < limit)) {
      entries.push({ key: readKey(cursor.primaryKey), row: cursor.value as StoredRow })
      if (entries.length === limit) break
      cursor = await cursor.continue()
    }
    return entries
  }
}
