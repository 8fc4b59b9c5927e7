import { deleteDB, openDB, type IDBPDatabase } from 'idb'
import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import type { Random } from '../../protocol/wire/brand.ts'
import type { ClientStore, ReadTransaction, WriteTransaction } from './client-store.ts'
import { lockStore, openDeviceLock } from './device-lock.ts'
import { GroupCommit } from './group-commit.ts'
import { IndexedDbRows } from './indexed-db-transaction.ts'
import { schemaVersion, tables, upgradeSchema } from './schema.ts'
import { createSealing } from './sealing.ts'
import { StepTransaction, type Vault } from './step-transaction.ts'
import { StoreError, toStoreError } from './store-error.ts'

export interface IndexedDbOptions {
  /** Database name; one per person on this origin. @default 'sotto' */
  readonly name?: string
  readonly random: Random
  /** What seals, asked for every record. @default noble */
  readonly crypto?: () => CryptoProvider
  /** The connection ended without `close`: another tab deletes or upgrades the database, or the browser gave it up. */
  readonly onClosed?: () => void
  /** What was stored is gone, and the browser says why; Chromium does when it finds its files damaged. */
  readonly onLoss?: (reason: string) => void
  /** How long another context may stand in the way before opening is given up as `blocked`. @default 10_000 */
  readonly patienceMs?: number
}

/** Chromium's own: whether an upgrade begins with an empty database because the old one was given up. */
interface LossReport {
  readonly dataLoss?: 'none' | 'total'
  readonly dataLossMessage?: string
}

interface Listeners {
  readonly ended: () => void
  readonly lost: (reason: string) => void
}

const storeNames: string[] = tables.map((table) => table.name)

/**
 * Rejects when another connection stands in the way, and lets go of the database if it opens later after all. The time limit
 * is for the case that has no event: a deletion that itself waits for somebody.
 */
const openDatabase = (name: string, patienceMs: number, { ended, lost }: Listeners): Promise<IDBPDatabase> =>
  new Promise((resolve, reject) => {
    let given = false
    const giveUp = (): void => {
      given = true
      reject(new StoreError('blocked', 'another tab still holds this database; close it and try again'))
    }
    const timer = setTimeout(giveUp, patienceMs)
    const opening = openDB(name, schemaVersion, {
      upgrade: (database, oldVersion, _newVersion, _transaction, event) => {
        const { dataLoss, dataLossMessage = '' } = event as LossReport
        if (dataLoss === 'total') lost(dataLossMessage)
        upgradeSchema(database, oldVersion)
      },
      blocked: giveUp,
      blocking: (_current, _blocked, event) => {
        // Whoever wants to delete or upgrade the database waits for us: let go at once.
        ;(event.target as IDBDatabase).close()
        ended()
      },
      terminated: ended,
    })
    opening
      .finally(() => clearTimeout(timer))
      .then(
        (database) => (given ? database.close() : resolve(database)),
        (cause: unknown) => reject(toStoreError(cause)),
      )
  })

class IndexedDbStore implements ClientStore {
  readonly #database: IDBPDatabase
  readonly #vault: Vault
  readonly #group = new GroupCommit<StepTransaction>((work) => this.#transact(work))
  #open = true

  constructor(database: IDBPDatabase, vault: Vault) {
    this.#database = database
    this.#vault = vault
  }

  async read<T>(step: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    this.#requireOpen()
    const handle = this.#begin(() => this.#database.transaction(storeNames, 'readonly'))
    const tx = new StepTransaction(this.#vault, new IndexedDbRows(handle))
    // A rejected `done` is the same failure that the step's own request reports.
    handle.done.catch(() => undefined)
    try {
      const result = await step(tx)
      tx.remember()
      return result
    } catch (cause) {
      throw this.#explain(cause)
    }
  }

  async write<T>(step: (tx: WriteTransaction) => Promise<T>): Promise<T> {
    this.#requireOpen()
    return this.#group.write(step)
  }

  close(): void {
    this.#open = false
    // Steps that wait for their turn have been begun, as far as their callers know.
    void this.#group.idle().then(() => this.#database.close())
  }

  async destroy(): Promise<void> {
    const { name } = this.#database
    this.close()
    await this.#group.idle()
    try {
      await deleteDB(name)
    } catch (cause) {
      throw toStoreError(cause)
    }
  }

  ended(): void {
    this.#open = false
  }

  async #transact(work: (tx: StepTransaction) => Promise<void>): Promise<void> {
    const handle = this.#begin(() => this.#database.transaction(storeNames, 'readwrite', { durability: 'strict' }))
    const tx = new StepTransaction(this.#vault, new IndexedDbRows(handle))
    let failure: unknown
    const done = handle.done.catch((cause: unknown) => {
      failure ??= cause
      throw cause
    })
    done.catch(() => undefined)
    try {
      await work(tx)
      await tx.flush()
      await done
      tx.remember()
    } catch (cause) {
      abort(handle)
      // The transaction knows the real reason (quota, abort) better than the request that failed with it.
      throw this.#explain(failure ?? cause)
    }
  }

  #requireOpen(): void {
    if (!this.#open) throw new StoreError('closed', 'the database connection is closed')
  }

  #begin<H>(begin: () => H): H {
    try {
      return begin()
    } catch (cause) {
      throw toStoreError(cause)
    }
  }

  #explain(cause: unknown): unknown {
    if (!(cause instanceof DOMException)) return cause
    if (!this.#open) return new StoreError('closed', 'the database connection ended', { cause })
    // A transaction that has ended by itself while the step still runs: the step awaited something else.
    if (cause.name === 'InvalidStateError') return toStoreError(new DOMException('', 'TransactionInactiveError'))
    return toStoreError(cause)
  }
}

const abort = (handle: { abort(): void }): void => {
  try {
    handle.abort()
  } catch {
    // It has ended already, which is what was wanted.
  }
}

/** Opens (or creates) the database and unwraps its vault key. @throws StoreError. */
export const openIndexedDbStore = async (options: IndexedDbOptions): Promise<ClientStore> => {
  const { name = 'sotto', random, crypto = () => noble, onClosed, onLoss, patienceMs = 10_000 } = options
  if (!('indexedDB' in globalThis)) throw new StoreError('unavailable', 'this browser has no database for pages')
  let store: IndexedDbStore | undefined
  const database = await openDatabase(name, patienceMs, {
    ended: () => {
      store?.ended()
      onClosed?.()
    },
    lost: (reason) => onLoss?.(reason),
  })
  try {
    const sealing = createSealing(await openDeviceLock(database, random), random, crypto)
    store = new IndexedDbStore(database, { sealing, account: null })
    return store
  } catch (cause) {
    database.close()
    throw toStoreError(cause)
  }
}

/** Names of every object store, for tools that look at the raw database. */
export const rawStoreNames: readonly string[] = [...storeNames, lockStore]
