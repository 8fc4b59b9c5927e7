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

interface RecordsQuery {
  readonly query: IDBKeyRange | Uint8Array<ArrayBuffer>
  readonly count?: number
  readonly direction?: 'next' | 'prev'
}

/**
 * IndexedDB 3.0, `getAllRecords`: keys and rows in one request, from either end. Browsers have it since late 2025; the others are
 * asked for keys and rows apart, and row by row from the end.
 */
interface WithRecords {
  getAllRecords?(query: RecordsQuery): Promise<readonly { readonly primaryKey: IDBValidKey; readonly value: unknown }[]>
}

const recordsOf = async (source: WithRecords, query: RecordsQuery): Promise<StoredEntry[] | undefined> => {
  const records = await source.getAllRecords?.(query)
  return records?.map(({ primaryKey, value }) => ({ key: readKey(primaryKey), row: value as StoredRow }))
}

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
    const records = await recordsOf(rows as WithRecords, { query: index })
    return records ?? toEntries(...(await Promise.all([rows.getAllKeys(index), rows.getAll(index)])))
  }

  async list(store: string, bounds: KeyBounds, limit: number | undefined, reverse: boolean): Promise<StoredEntry[]> {
    const range = toKeyRange(bounds)
    const rows = this.#handle.objectStore(store)
    const records = await recordsOf(rows as WithRecords, {
      query: range,
      direction: reverse ? 'prev' : 'next',
      ...(limit === undefined ? {} : { count: limit }),
    })
    if (records) return records
    if (reverse) return this.#readBack(store, range, limit)
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
