import type { DatabaseSync } from 'node:sqlite'
import { StoreError } from './relay-store.ts'

/**
 * Writes that arrive together share one transaction, and so one sync of the disk; each learns of its success only after the
 * commit. While one commit blocks, the next writes gather in the sockets, so the batches grow with the load by themselves
 * and a lone write waits for nobody.
 *
 * Invariants:
 * 1. Nothing resolves before COMMIT has returned.
 * 2. Works run in the order of `run`; one that throws leaves no trace and harms no other.
 * 3. When COMMIT fails, the transaction is rolled back and every work of the batch is rejected.
 */

/** 256 writes of 64 KiB are 16 MiB: bounds the pause of one batch, and is well past where larger batches stop helping. */
const maxBatch = 256

interface Work {
  readonly step: () => unknown
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }

/** SQLite's own result codes (sqlite.org/rescode.html): the disk is full. */
const sqliteFull = 13

const asStoreError = (cause: unknown): StoreError => {
  if (cause instanceof StoreError) return cause
  const code = (cause as { errcode?: unknown }).errcode
  return typeof code === 'number' && (code & 0xff) === sqliteFull
    ? new StoreError('full', 'no space is left for the database', { cause })
    : new StoreError('failed', 'the database could not be written', { cause })
}

export class GroupCommit {
  readonly #database: DatabaseSync
  #queue: Work[] = []
  #scheduled: NodeJS.Immediate | undefined
  #closed = false
  #failure: StoreError | undefined

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Why the last transaction failed; undefined after one that succeeded. */
  get failure(): StoreError | undefined {
    return this.#failure
  }

  /** Runs `step` inside the next transaction. @throws StoreError when that fails; whatever `step` throws. */
  run<T>(step: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreError('closed', 'the store is closed'))
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ step, resolve, reject })
      this.#schedule()
    })
  }

  /** Commits what is queued; later calls of `run` are refused. */
  close(): void {
    this.#closed = true
    if (this.#scheduled) clearImmediate(this.#scheduled)
    while (this.#queue.length > 0) this.#commitBatch()
  }

  #schedule(): void {
    // An immediate runs after every socket that was readable in this turn has been read: those deposits share the commit.
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined
      this.#commitBatch()
      if (this.#queue.length > 0) this.#schedule()
    })
  }

  #commitBatch(): void {
    const batch = this.#queue.splice(0, maxBatch)
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      const outcomes = batch.map((work) => this.#runStep(work))
      this.#database.exec('COMMIT')
      this.#failure = undefined
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome.ok) batch[i]?.resolve(outcome.value as never)
        else batch[i]?.reject(outcome.error)
      }
    } catch (cause) {
      this.#failure = asStoreError(cause)
      this.#rollback()
      for (const { reject } of batch) reject(this.#failure)
    }
  }

  #runStep({ step }: Work): Outcome {
    this.#database.exec('SAVEPOINT step')
    try {
      const value = step()
      this.#database.exec('RELEASE step')
      return { ok: true, value }
    } catch (error) {
      // When the whole transaction has ended already (a full disk may do that), this throws, and nothing of the batch counts.
      this.#database.exec('ROLLBACK TO step; RELEASE step')
      return { ok: false, error: (error as { errcode?: unknown }).errcode === undefined ? error : asStoreError(error) }
    }
  }

  #rollback(): void {
    try {
      this.#database.exec('ROLLBACK')
    } catch {
      // The failure has ended the transaction by itself.
    }
  }
}
