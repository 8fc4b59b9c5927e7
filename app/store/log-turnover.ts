import { deleteDB, openDB } from 'idb'

/*
 * Chromium keeps a page's databases in LevelDB. A browser that is killed while it writes may leave half a record at the end
 * of LevelDB's log. The next start leaves the half out and appends to the same log; the start after that finds a record that
 * makes no sense in the middle, takes the log for damaged, and deletes every database of the origin (`dataLoss: 'total'`,
 * "checksum mismatch"). So a new log is begun as soon as the database was opened: what stood in the old one goes into a
 * table, and the old log is removed. LevelDB does that when what is in memory exceeds its write buffer, and has no other
 * way to ask for it from a page. A database that was only just made is no exception: the start before may have been killed
 * while it made it, and left half a record and nothing else.
 */

/** Removed at once; a crash in between leaves it to the next turnover. */
const scratchName = 'sotto-turnover'

/** Below 64 KiB, from where Chromium puts a value into a file of its own, past the log. */
const recordBytes = 60_000

/** 4.5 MB in all: Chromium's write buffer is 4 MiB, or less on a small disk. */
const records = 75

/** Held by every context that has the database open: the log is the old one only for the first of them. */
const lockName = 'sotto-database'

const fillWriteBuffer = async (): Promise<void> => {
  // Random, because LevelDB's owner may compress what a page stores.
  const filler = crypto.getRandomValues(new Uint8Array(recordBytes))
  const scratch = await openDB(scratchName, 1, { upgrade: (database) => void database.createObjectStore('filler') })
  try {
    const { store, done } = scratch.transaction('filler', 'readwrite', { durability: 'strict' })
    for (let key = 0; key < records; key++) store.put(filler, key).catch(() => undefined)
    await done
  } finally {
    scratch.close()
    await deleteDB(scratchName)
  }
}

/** Only Chromium tells a page that its database was given up, and only Chromium gives it up. */
const keepsLog = (): boolean => 'IDBVersionChangeEvent' in globalThis && 'dataLoss' in IDBVersionChangeEvent.prototype

/**
 * Begins a new log if the browser needs it and nobody else on this origin has the database open. Where there is no room for
 * 4.5 MB the old log stays; nothing else depends on it. Resolves when it is done; the mark that this context has the
 * database open stays until the context ends.
 */
export const turnLogOver = async (locks: LockManager): Promise<void> => {
  if (!keepsLog()) return
  try {
    await locks.request(lockName, { ifAvailable: true }, (lock) => (lock ? fillWriteBuffer() : undefined))
  } catch (cause) {
    if (!(cause instanceof DOMException)) throw cause
  }
  void locks.request(lockName, { mode: 'shared' }, () => new Promise<never>(() => undefined))
}
