import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { StoredKey, StoredRow } from './sealing.ts'
import { decodeKey, encodeBounds, encodeKey } from './sqlite-key.ts'
import type { SealedRows, StoredChange, StoredEntry } from './step-transaction.ts'
import { StoreError } from './store-error.ts'
import type { KeyBounds } from './stored-key.ts'

interface RawRow {
  readonly k: Uint8Array<ArrayBuffer>
  readonly v: Uint8Array<ArrayBuffer>
  readonly x: Uint8Array<ArrayBuffer> | null
}

const toRow = ({ v, x }: RawRow): StoredRow => (x === null ? { v } : { v, x })
const toEntry = (raw: RawRow): StoredEntry => ({ key: decodeKey(raw.k), row: toRow(raw) })

/** Statements of one connection, compiled once. */
export class Statements {
  readonly #database: DatabaseSync
  readonly #compiled = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  of(sql: string): StatementSync {
    let statement = this.#compiled.get(sql)
    if (!statement) this.#compiled.set(sql, (statement = this.#database.prepare(sql)))
    return statement
  }
}

/** One SQLite transaction as a step sees it. Every call answers at once; promises are only the shape that steps know. */
export class SqliteRows implements SealedRows {
  readonly #statements: Statements
  #ended = false

  constructor(statements: Statements) {
    this.#statements = statements
  }

  /** Whoever still asks has awaited something outside the transaction. */
  end(): void {
    this.#ended = true
  }

  async get(store: string, key: StoredKey): Promise<StoredRow | undefined> {
    const raw = this.#of(`SELECT k, v, x FROM "${store}" WHERE k = ?`).get(encodeKey(key)) as RawRow | undefined
    return raw && toRow(raw)
  }

  async findAll(store: string, index: Uint8Array<ArrayBuffer>): Promise<StoredEntry[]> {
    const found = this.#of(`SELECT k, v, x FROM "${store}" WHERE x = ? ORDER BY k`).all(index)
    return (found as unknown as RawRow[]).map(toEntry)
  }

  async list(store: string, bounds: KeyBounds, limit: number | undefined, reverse: boolean): Promise<StoredEntry[]> {
    const { low, inclusive, high } = encodeBounds(bounds)
    const order = reverse ? 'DESC' : 'ASC'
    const sql = `SELECT k, v, x FROM "${store}" WHERE k ${inclusive ? '>=' : '>'} ? AND k < ? ORDER BY k ${order} LIMIT ?`
    // SQLite reads a negative limit as none.
    return (this.#of(sql).all(low, high, limit ?? -1) as unknown as RawRow[]).map(toEntry)
  }

  async write(changes: readonly StoredChange[]): Promise<void> {
    for (const { store, key, row } of changes) {
      const k = encodeKey(key)
      if (row === undefined) this.#of(`DELETE FROM "${store}" WHERE k = ?`).run(k)
      else this.#of(`INSERT OR REPLACE INTO "${store}" (k, v, x) VALUES (?, ?, ?)`).run(k, row.v, row.x ?? null)
    }
  }

  #of(sql: string): StatementSync {
    if (this.#ended) throw new StoreError('inactive', 'the step awaited something outside its transaction')
    return this.#statements.of(sql)
  }
}
