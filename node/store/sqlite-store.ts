import type { DatabaseSync } from 'node:sqlite'
import { AccountTable } from './account-table.ts'
import { GroupCommit } from './group-commit.ts'
import { MailboxTable } from './mailbox-table.ts'
import { StoreError, type MailboxQuota, type RelayStore } from './relay-store.ts'
import { openDatabase } from './schema.ts'

/** 20,000 envelopes or 200 MB: a month of a busy person; one more mailbox must not fill a volunteer's disk. */
const defaultQuota: MailboxQuota = { envelopes: 20_000, bytes: 200_000_000 }

/** Expired envelopes removed per transaction: a few milliseconds, so that deposits are not held up. */
const sweepBatch = 200

/** Pages given back to the file system per sweep step (4 KiB each). */
const vacuumPages = 256

/** The relay's store in one SQLite file. @throws StoreError when it cannot be opened. */
export const openSqliteStore = (path: string, quota: MailboxQuota = defaultQuota): RelayStore =>
  new SqliteStore(openDatabase(path), quota)

class SqliteStore implements RelayStore {
  readonly #database: DatabaseSync
  readonly #commits: GroupCommit
  readonly #mailboxes: MailboxTable
  readonly #accounts: AccountTable

  constructor(database: DatabaseSync, quota: MailboxQuota) {
    this.#database = database
    this.#commits = new GroupCommit(database)
    this.#mailboxes = new MailboxTable(database, quota)
    this.#accounts = new AccountTable(database)
  }

  readonly register: RelayStore['register'] = (mailboxId, owner) =>
    this.#commits.run(() => this.#mailboxes.register(mailboxId, owner))
  readonly owner: RelayStore['owner'] = (mailboxId) => this.#read(() => this.#mailboxes.owner(mailboxId))
  readonly setLanes: RelayStore['setLanes'] = (mailboxId, lanes) =>
    this.#commits.run(() => this.#mailboxes.setLanes(mailboxId, lanes))
  readonly revokeLanes: RelayStore['revokeLanes'] = (mailboxId, laneHashes) =>
    this.#commits.run(() => this.#mailboxes.revokeLanes(mailboxId, laneHashes))

  readonly deposit: RelayStore['deposit'] = (deposit, nowMs) =>
    this.#commits.run(() => this.#mailboxes.deposit(deposit, nowMs))
  readonly waiting: RelayStore['waiting'] = (...query) => this.#read(() => this.#mailboxes.waiting(...query))
  readonly countWaiting: RelayStore['countWaiting'] = (mailboxId) =>
    this.#read(() => this.#mailboxes.countWaiting(mailboxId))
  readonly advance: RelayStore['advance'] = (mailboxId, counter) =>
    this.#commits.run(() => this.#mailboxes.advance(mailboxId, counter))

  readonly acknowledge: RelayStore['acknowledge'] = (mailboxId, sequences) =>
    this.#commits.run(() => this.#mailboxes.acknowledge(mailboxId, sequences))

  readonly account: RelayStore['account'] = (accountId) => this.#read(() => this.#accounts.account(accountId))
  readonly putAccount: RelayStore['putAccount'] = (record, expectedHead) =>
    this.#commits.run(() => this.#accounts.putAccount(record, expectedHead))
  readonly device: RelayStore['device'] = (...ids) => this.#read(() => this.#accounts.device(...ids))

  readonly publishPrekeys: RelayStore['publishPrekeys'] = (...call) =>
    this.#commits.run(() => this.#accounts.publish(...call))
  readonly countPrekeys: RelayStore['countPrekeys'] = (...ids) => this.#read(() => this.#accounts.count(...ids))
  readonly takeBundles: RelayStore['takeBundles'] = (accountId) =>
    this.#commits.run(() => this.#accounts.takeBundles(accountId))

  readonly sweep: RelayStore['sweep'] = async (nowMs) => {
    let removed = 0
    let number = 0
    for (;;) {
      const filled = this.#read(() => this.#mailboxes.filled(number, 100))
      if (filled.length === 0) break
      for (const mailbox of filled) removed += await this.#sweepMailbox(mailbox, nowMs)
      number = filled.at(-1) ?? number
    }
    await this.#commits.run(() => this.#mailboxes.removeExpiredLanes(nowMs))
    this.#read(() => this.#database.exec(`PRAGMA incremental_vacuum(${vacuumPages})`))
    return removed
  }

  check(): void {
    const { failure } = this.#commits
    if (failure) throw failure
  }

  async close(): Promise<void> {
    this.#commits.close()
    if (this.#database.isOpen) this.#database.close()
  }

  async #sweepMailbox(number: number, nowMs: number): Promise<number> {
    let removed = 0
    for (;;) {
      const step = await this.#commits.run(() => this.#mailboxes.removeExpired(number, nowMs, sweepBatch))
      removed += step
      if (step < sweepBatch) return removed
    }
  }

  #read<T>(query: () => T): T {
    if (!this.#database.isOpen) throw new StoreError('closed', 'the store is closed')
    try {
      return query()
    } catch (cause) {
      throw new StoreError('failed', 'the database could not be read', { cause })
    }
  }
}
