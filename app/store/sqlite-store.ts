import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import type { Random } from '../../protocol/wire/brand.ts'
import type { ClientStore, ReadTransaction, WriteTransaction } from './client-store.ts'
import { GroupCommit } from './group-commit.ts'
import { schemaVersion, tables } from './schema.ts'
import { createSealing } from './sealing.ts'
import { fromSqlite } from './sqlite-error.ts'
import { SqliteRows, Statements } from './sqlite-rows.ts'
import { openVaultKey } from './sqlite-vault-key.ts'
import { StepTransaction, type Vault } from './step-transaction.ts'
import { StoreError } from './store-error.ts'

export interface SqliteOptions {
  /** Folder of the database and its key; made if it is missing. One per account. */
  readonly directory: string
  readonly random: Random
  /** What seals, asked for every record. @default noble */
  readonly crypto?: () => CryptoProvider
  /** How long another process may hold the database before a step is given up as `blocked`. @default 10_000 */
  readonly patienceMs?: number
}

const databaseFile = 'sotto.sqlite'
const keyFile = 'vault.key'

/** SQLite's own, beside the database: the log and its index. */
const companions = ['-wal', '-shm']

/** Every table alike, as in IndexedDB: blinded key, sealed row, blinded index value. Up to now versions only added tables. */
const createTables = tables
  .map(({ name }) => {
    const columns = 'k BLOB PRIMARY KEY, v BLOB NOT NULL, x BLOB'
    return `CREATE TABLE IF NOT EXISTS "${name}" (${columns}) STRICT, WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS "${name}/x" ON "${name}" (x, k) WHERE x IS NOT NULL;`
  })
  .join('\n')

const openDatabase = (path: string, patienceMs: number): DatabaseSync => {
  // Made by us first, so that it and the log beside it are never readable by others.
  closeSync(openSync(path, 'a', 0o600))
  const database = new DatabaseSync(path, { timeout: patienceMs })
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF')
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
    if (version > schemaVersion) {
      throw new StoreError('newer-version', 'a newer version has already opened this database')
    }
    if (version < schemaVersion) {
      database.exec(`BEGIN IMMEDIATE; ${createTables} PRAGMA user_version = ${schemaVersion}; COMMIT`)
    }
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

/** Steps of one database in this process take turns: SQLite would make the second one wait on the thread the first needs. */
const turns = new Map<string, Promise<unknown>>()

const takeTurn = <T>(path: string, step: () => Promise<T>): Promise<T> => {
  const turn = (turns.get(path) ?? Promise.resolve()).then(step, step)
  const settled = turn.catch(() => undefined)
  turns.set(path, settled)
  void settled.then(() => {
    if (turns.get(path) === settled) turns.delete(path)
  })
  return turn
}

/**
 * Rejects as soon as nothing but the outside world can continue the step. Everything in a transaction answers at once, so an
 * honest step ends before Node looks at anything else: a tick that is asked for among its microtasks runs after all of them.
 */
const untilIdle = <T>(step: Promise<T>): Promise<T> =>
  new Promise((settle, reject) => {
    step.then(settle, reject)
    const inactive = new StoreError('inactive', 'the step awaited something outside its transaction')
    queueMicrotask(() => process.nextTick(() => reject(inactive)))
  })

const rollBack = (statements: Statements): void => {
  try {
    statements.of('ROLLBACK').run()
  } catch {
    // It has ended already (a failed commit may do so), which is what was wanted.
  }
}

class SqliteStore implements ClientStore {
  readonly #directory: string
  readonly #database: DatabaseSync
  readonly #statements: Statements
  readonly #vault: Vault
  readonly #group = new GroupCommit<StepTransaction>((work) =>
    this.#run('BEGIN IMMEDIATE', async (tx) => {
      await work(tx)
      await tx.flush()
    }),
  )
  #open = true

  constructor(directory: string, database: DatabaseSync, vault: Vault) {
    this.#directory = directory
    this.#database = database
    this.#statements = new Statements(database)
    this.#vault = vault
  }

  async read<T>(step: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    this.#requireOpen()
    return this.#run('BEGIN', step)
  }

  async write<T>(step: (tx: WriteTransaction) => Promise<T>): Promise<T> {
    this.#requireOpen()
    return this.#group.write(step)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    const close = async (): Promise<void> => this.#database.close()
    // Steps that wait for their turn have been begun, as far as their callers know.
    void this.#group.idle().then(() => takeTurn(this.#directory, close))
  }

  async destroy(): Promise<void> {
    this.close()
    await this.#group.idle()
    await takeTurn(this.#directory, async () => {
      for (const name of [databaseFile, ...companions.map((ending) => databaseFile + ending), keyFile]) {
        rmSync(join(this.#directory, name), { force: true })
      }
    })
  }

  #requireOpen(): void {
    if (!this.#open) throw new StoreError('closed', 'the database connection is closed')
  }

  async #run<T>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', step: (tx: StepTransaction) => Promise<T>): Promise<T> {
    return takeTurn(this.#directory, async () => {
      const rows = new SqliteRows(this.#statements)
      const tx = new StepTransaction(this.#vault, rows)
      try {
        this.#statements.of(begin).run()
        const result = await untilIdle(step(tx))
        this.#statements.of('COMMIT').run()
        tx.remember()
        return result
      } catch (cause) {
        rollBack(this.#statements)
        throw fromSqlite(cause)
      } finally {
        rows.end()
      }
    })
  }
}

/** Opens (or creates) the database in `directory`. @throws StoreError. */
export const openSqliteStore = async (options: SqliteOptions): Promise<ClientStore> => {
  const { random, crypto = () => noble, patienceMs = 10_000 } = options
  const directory = resolve(options.directory)
  return takeTurn(directory, async () => {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const path = join(directory, databaseFile)
      const key = openVaultKey(join(directory, keyFile), existsSync(path), random)
      const sealing = createSealing(key, random, crypto)
      return new SqliteStore(directory, openDatabase(path, patienceMs), { sealing, account: null })
    } catch (cause) {
      throw fromSqlite(cause)
    }
  })
}
