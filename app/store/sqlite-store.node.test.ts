import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { clientStoreSuite, conversationRow } from './client-store.suite.ts'
import { conversationTable } from './records/conversation.ts'
import { openSqliteStore } from './sqlite-store.ts'

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

const directories: string[] = []
const temporary = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'sotto-client-'))
  directories.push(made)
  return made
}
afterEach(() => {
  for (const made of directories.splice(0)) rmSync(made, { recursive: true, force: true })
})

clientStoreSuite('SQLite', () => {
  const directory = temporary()
  return {
    open: () => openSqliteStore({ directory, random }),
    end: async () => rmSync(directory, { recursive: true, force: true }),
  }
})

describe('the SQLite store', () => {
  const put = async (directory: string): Promise<void> => {
    const store = await openSqliteStore({ directory, random })
    await store.write(async (tx) => tx.put(conversationTable, conversationRow(1)))
    store.close()
  }

  test('is readable by its owner alone, key, database and log', async () => {
    const directory = temporary()
    const store = await openSqliteStore({ directory, random })
    await store.write(async (tx) => tx.put(conversationTable, conversationRow(1)))
    const files = readdirSync(directory)
    expect(files.toSorted()).toEqual(['sotto.sqlite', 'sotto.sqlite-shm', 'sotto.sqlite-wal', 'vault.key'])
    for (const file of files) expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600)
    store.close()
  })

  test('takes one key when two open a new database at once', async () => {
    const directory = temporary()
    const [a, b] = await Promise.all([openSqliteStore({ directory, random }), openSqliteStore({ directory, random })])
    await a.write(async (tx) => tx.put(conversationTable, conversationRow(1)))
    expect(await b.read((tx) => tx.list(conversationTable))).toEqual([conversationRow(1)])
    for (const store of [a, b]) store.close()
  })

  test('does not open without its key, with half of one or with another', async () => {
    const directory = temporary()
    await put(directory)
    const keyFile = join(directory, 'vault.key')
    const key = readFileSync(keyFile)
    rmSync(keyFile)
    await expect(openSqliteStore({ directory, random })).rejects.toMatchObject({ code: 'sealed' })
    writeFileSync(keyFile, key.subarray(0, 32))
    await expect(openSqliteStore({ directory, random })).rejects.toMatchObject({ code: 'sealed' })
    writeFileSync(
      keyFile,
      key.map((byte) => byte ^ 1),
    )
    const store = await openSqliteStore({ directory, random })
    await expect(store.read((tx) => tx.list(conversationTable))).rejects.toMatchObject({ code: 'sealed' })
    store.close()
  })

  test('refuses a newer database and a file that is none', async () => {
    const newer = temporary()
    await put(newer)
    const database = new DatabaseSync(join(newer, 'sotto.sqlite'))
    database.exec('PRAGMA user_version = 99')
    database.close()
    await expect(openSqliteStore({ directory: newer, random })).rejects.toMatchObject({ code: 'newer-version' })
    const garbage = temporary()
    await put(garbage)
    for (const ending of ['-wal', '-shm']) rmSync(join(garbage, `sotto.sqlite${ending}`), { force: true })
    writeFileSync(join(garbage, 'sotto.sqlite'), 'this is not a database, it only looks like one '.repeat(100))
    await expect(openSqliteStore({ directory: garbage, random })).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('says "blocked" while another process writes, and goes on after it', async () => {
    const directory = temporary()
    await put(directory)
    const store = await openSqliteStore({ directory, random, patienceMs: 20 })
    const other = new DatabaseSync(join(directory, 'sotto.sqlite'))
    other.exec('BEGIN IMMEDIATE')
    const step = () => store.write(async (tx) => tx.put(conversationTable, conversationRow(2)))
    await expect(step()).rejects.toMatchObject({ name: 'StoreError', code: 'blocked' })
    other.exec('COMMIT')
    other.close()
    await step()
    expect(await store.read((tx) => tx.list(conversationTable))).toHaveLength(2)
    store.close()
  })
})

/** kill -9 cannot show durability, since the page cache survives it; the system calls can. */
const traceable = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0
const skipped = traceable ? '' : ' (skipped: needs strace)'
const writer = fileURLToPath(new URL('./sqlite-writer.fixture.ts', import.meta.url))

/** Runs the writer under strace; its lines and the trace. */
const traced = (directory: string, ...expressions: string[]): { lines: string[]; trace: string } => {
  const file = join(temporary(), 'trace')
  const calls = 'trace=pwrite64,fdatasync,fsync,write'
  const flags = ['-f', '-y', '-s', '12', '-o', file, ...[calls, ...expressions].flatMap((each) => ['-e', each])]
  const { stdout } = spawnSync('strace', [...flags, process.execPath, writer, directory], { encoding: 'utf8' })
  return { lines: stdout.trim().split('\n'), trace: readFileSync(file, 'utf8') }
}

describe.skipIf(!traceable)(`the SQLite store on a disk${skipped}`, () => {
  test('says that a step is done only when a sync has covered all that it wrote', () => {
    const { lines, trace } = traced(temporary())
    expect(lines).toEqual(['step 1: done', 'step 2: done', 'step 3: done'])
    let unsynced = false
    let done = 0
    for (const line of trace.split('\n')) {
      if (/pwrite64\(\d+<[^>]*-wal>/.test(line)) unsynced = true
      else if (/f(?:data)?sync\(\d+<[^>]*-wal>/.test(line)) unsynced = false
      else if (/write\(1<[^>]*>, "step/.test(line)) {
        expect(unsynced, line).toBe(false)
        done++
      }
    }
    expect(done).toBe(3)
  })

  test.for([
    ['ENOSPC', 'pwrite64', 'quota'],
    ['EIO', 'pwrite64', 'failed'],
    ['EIO', 'fdatasync,fsync', 'failed'],
  ] as const)('%s of %s is "%s", nothing of the step is kept, and the next one works', ([error, calls, code]) => {
    const directory = temporary()
    const healthy = traced(directory).trace.split('\n')
    // The first such call after the first step's line is the second step's.
    const first = healthy.findIndex((line) => /write\(1<[^>]*>, "step/.test(line))
    const pattern = new RegExp(`(?:${calls.replace(',', '|')})\\(`)
    const before = healthy.slice(0, first).filter((line) => pattern.test(line)).length
    const { lines } = traced(temporary(), `inject=${calls}:error=${error}:when=${before + 1}`)
    expect(lines).toEqual(['step 1: done', `step 2: ${code}`, 'step 3: done'])
  })
})
