import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { relayStoreSuite } from './relay-store.suite.ts'
import { migrate } from './schema.ts'
import { openSqliteStore } from './sqlite-store.ts'

const temporary = (): string => mkdtempSync(join(tmpdir(), 'sotto-store-'))

describe('SQLite', () => {
  relayStoreSuite(() => {
    const directory = temporary()
    return {
      open: (quota) => openSqliteStore(join(directory, 'relay.sqlite'), quota),
      destroy: () => rmSync(directory, { recursive: true }),
    }
  })
})

describe('SQLite files', () => {
  test('one process at a time; the sentence says so', async () => {
    const directory = temporary()
    const path = join(directory, 'relay.sqlite')
    const first = openSqliteStore(path)
    expect(() => openSqliteStore(path)).toThrow(expect.objectContaining({ code: 'locked' }))
    await first.close()
    await openSqliteStore(path).close()
    rmSync(directory, { recursive: true })
  })

  test('are readable by their owner alone', async () => {
    const directory = temporary()
    const path = join(directory, 'relay.sqlite')
    const store = openSqliteStore(path)
    await store.register(new Uint8Array(32), new Uint8Array(32))
    for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600)
    await store.close()
    rmSync(directory, { recursive: true })
  })

  test('a database of every earlier version opens with all that is in it', async () => {
    const directory = temporary()
    const path = join(directory, 'relay.sqlite')
    const database = new DatabaseSync(path)
    migrate(database, 1)
    const [mailboxId, owner] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    database.prepare('INSERT INTO mailbox (mailbox_id, owner) VALUES (?, ?)').run(mailboxId, owner)
    database.close()
    const store = openSqliteStore(path)
    expect(store.owner(mailboxId)).toEqual(owner)
    expect(await store.advance(mailboxId, 4)).toBe(0)
    await store.close()
    rmSync(directory, { recursive: true })
  })

  test('a newer schema and a file that is no database are refused', () => {
    const directory = temporary()
    const newer = join(directory, 'newer.sqlite')
    const database = new DatabaseSync(newer)
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(() => openSqliteStore(newer)).toThrow(expect.objectContaining({ code: 'newer' }))
    const garbage = join(directory, 'garbage.sqlite')
    writeFileSync(garbage, 'this is not a database, it only looks like one '.repeat(100))
    expect(() => openSqliteStore(garbage)).toThrow(expect.objectContaining({ code: 'failed' }))
    rmSync(directory, { recursive: true })
  })
})
