import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { StoreError } from './relay-store.ts'

/**
 * One file, written ahead (WAL), synced at every commit. Privacy of the rows: no table has a column for who deposited or
 * fetched; the expiry of an envelope is rounded up to the hour, so that it does not tell when it came.
 *
 * An envelope's key is its mailbox's number times 2^32 plus its sequence in that mailbox: rows of one mailbox lie together,
 * in order, without a second index. 2^21 mailboxes keep the key below 2^53, where JavaScript's integers end.
 */
const firstSchema = `
  CREATE TABLE mailbox (
    number INTEGER PRIMARY KEY,
    mailbox_id BLOB NOT NULL UNIQUE,
    owner BLOB NOT NULL,
    next_sequence INTEGER NOT NULL DEFAULT 1,
    envelopes INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX mailbox_owner ON mailbox (owner);
  CREATE TABLE lane (
    mailbox INTEGER NOT NULL,
    lane_hash BLOB NOT NULL,
    remaining INTEGER,
    expires_at_ms INTEGER,
    PRIMARY KEY (mailbox, lane_hash)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE envelope (
    key INTEGER PRIMARY KEY,
    mailbox INTEGER NOT NULL,
    envelope_id BLOB NOT NULL,
    lane_hash BLOB NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    envelope BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX envelope_once ON envelope (mailbox, envelope_id);
  CREATE TABLE decoy (slot INTEGER PRIMARY KEY, envelope_id BLOB NOT NULL UNIQUE, envelope BLOB NOT NULL) STRICT;
  CREATE TABLE account (account_id BLOB PRIMARY KEY, head BLOB NOT NULL, log BLOB NOT NULL) STRICT;
  CREATE TABLE device (
    number INTEGER PRIMARY KEY,
    account_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    device_key BLOB NOT NULL,
    UNIQUE (account_id, device_id)
  ) STRICT;
  CREATE TABLE standing_prekey (
    device INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    prekey BLOB NOT NULL,
    PRIMARY KEY (device, kind)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE one_time_prekey (
    number INTEGER PRIMARY KEY,
    device INTEGER NOT NULL,
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    prekey BLOB,
    UNIQUE (device, kind, id)
  ) STRICT;
  CREATE INDEX one_time_left ON one_time_prekey (device, kind, id) WHERE prekey IS NOT NULL;
`

/**
 * What leads from each version to the next, from an empty file on. A later version adds a step and never edits an earlier one:
 * every released database must still open, and none goes back.
 */
const migrations: readonly string[] = [
  firstSchema,
  // How far the owner says to have come; raised only.
  'ALTER TABLE mailbox ADD COLUMN counter INTEGER NOT NULL DEFAULT 0;',
]

const schemaVersion = migrations.length

/** Brings a database to `target` (@default the newest version), in one transaction. */
export const migrate = (database: DatabaseSync, target = schemaVersion): void => {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
  const missing = migrations.slice(version, target)
  if (missing.length > 0)
    database.exec(`BEGIN EXCLUSIVE; ${missing.join('\n')} PRAGMA user_version = ${target}; COMMIT`)
}

/** 16 MiB of log before it is copied into the database: a burst of large deposits pays for few copies. */
const checkpointPages = 4_096

/** SQLite's result code for a database another process holds (sqlite.org/rescode.html#busy). */
const sqliteBusy = 5

/** Opens or makes the database for this process alone. @throws StoreError `locked`, `newer` or `failed`. */
export const openDatabase = (path: string): DatabaseSync => {
  try {
    // Made by us first, so that it and the log beside it are never readable by others.
    closeSync(openSync(path, 'a', 0o600))
    const database = new DatabaseSync(path, { timeout: 0 })
    prepareDatabase(database)
    return database
  } catch (cause) {
    if (cause instanceof StoreError) throw cause
    if ((cause as { errcode?: unknown }).errcode === sqliteBusy) {
      throw new StoreError(
        'locked',
        'Another relay is using this data directory; stop it first, or choose another with --data.',
        { cause },
      )
    }
    throw new StoreError('failed', `The database ${path} cannot be opened.`, { cause })
  }
}

const prepareDatabase = (database: DatabaseSync): void => {
  // Exclusive: the lock is the operating system's and is gone with the process, also after kill -9.
  database.exec(`
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA auto_vacuum = INCREMENTAL;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA trusted_schema = OFF;
    PRAGMA cache_size = -16384;
    PRAGMA wal_autocheckpoint = ${checkpointPages};
    PRAGMA journal_size_limit = ${4 * checkpointPages * 4_096};
  `)
  const version = database.prepare('PRAGMA user_version').get()?.['user_version']
  if (Number(version) > schemaVersion) {
    throw new StoreError(
      'newer',
      `The database has version ${String(version)}; this relay knows ${schemaVersion}. Update the relay.`,
    )
  }
  migrate(database)
  // After a failed sync the log may hold what the disk does not; copying and emptying it makes the two one again.
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
}
