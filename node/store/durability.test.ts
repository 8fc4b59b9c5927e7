import { spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { mailboxProtocol } from '../../protocol/relay/mailbox-calls.ts'
import { toHex } from '../../protocol/wire/bytes.ts'

import { random, connect, deposit, drain, makeMailbox } from '../load/relay-client.ts'
import { killLeftovers, spawnRelay, temporaryDirectory } from '../load/relay-process.ts'
import { openSqliteStore } from './sqlite-store.ts'

/** kill -9 cannot show durability, since the page cache survives it; the system calls can. */
const traceable = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0
const skipped = traceable ? '' : ' (skipped: needs strace)'

const tracer = (file: string, ...expressions: string[]): string[] => [
  'strace',
  ...['-f', '-y', '-s', '0', '-o', file, '-e', 'trace=pwrite64,fdatasync,fsync,write,writev'],
  ...expressions.flatMap((expression) => ['-e', expression]),
]

interface Synced {
  /** Bytes of the log that a finished sync covered. */
  readonly logBytes: number
  /** Finished syncs of the log. */
  readonly syncs: number
  /** Writes to a socket while the log held bytes that no sync covered. */
  readonly tooEarly: number
}

/** Reads a trace: SQLite runs in the main thread, so the lines of the log are in order. */
const readTrace = (file: string): Synced => {
  let written = 0
  let logBytes = 0
  let syncs = 0
  let tooEarly = 0
  let syncing = false
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const write = /pwrite64\(\d+<[^>]*-wal>.*, (\d+), (\d+)/.exec(line)
    if (write) written = Math.max(written, Number(write[1]) + Number(write[2]))
    if (/f(?:data)?sync\(\d+<[^>]*-wal>/.test(line)) syncing = true
    if (syncing && /f(?:data)?sync.*= 0/.test(line)) {
      syncing = false
      logBytes = written
      syncs++
    }
    if (/write(?:v)?\(\d+<(?:socket|TCP)/.test(line) && written > logBytes) tooEarly++
  }
  return { logBytes, syncs, tooEarly }
}

const directories: { remove: () => void }[] = []
const directory = (): string => {
  const made = temporaryDirectory()
  directories.push(made)
  return made.path
}
afterEach(() => {
  killLeftovers()
  for (const made of directories.splice(0)) made.remove()
})

describe.skipIf(!traceable)(`durability${skipped}`, () => {
  test('every yes waits for a sync that covers its row', async () => {
    const data = directory()
    const trace = join(directory(), 'trace')
    const delayMs = 150
    const slowSync = `inject=fdatasync,fsync:delay_exit=${delayMs * 1_000}`
    const relay = await spawnRelay(data, { wrapper: tracer(trace, slowSync) })
    const address = relay.listening.addresses[0] ?? ''
    const mailbox = await makeMailbox(address)
    const client = await connect(address)
    const stream = await client.open(mailboxProtocol)
    const acknowledged: string[] = []
    for (let i = 0; i < 6; i++) {
      const envelope = random(3_000)
      const before = performance.now()
      await deposit(stream, mailbox, envelope)
      expect(performance.now() - before).toBeGreaterThan(delayMs)
      acknowledged.push(toHex(envelope))
    }
    // A lane that does not exist takes as long: the time of the answer tells nothing.
    const before = performance.now()
    await deposit(stream, { ...mailbox, mailboxId: random(32) }, random(3_000))
    expect(performance.now() - before).toBeGreaterThan(delayMs)
    await client.close()
    await relay.end('SIGKILL')

    const { logBytes, syncs, tooEarly } = readTrace(trace)
    expect(syncs).toBeGreaterThanOrEqual(acknowledged.length)
    expect(tooEarly).toBe(0)
    // What a power cut right after the last sync would leave at the worst: the log up to there and nothing beyond.
    const cut = join(directory(), 'relay.sqlite')
    copyFileSync(join(data, 'relay.sqlite'), cut)
    copyFileSync(join(data, 'relay.sqlite-wal'), `${cut}-wal`)
    truncateSync(`${cut}-wal`, logBytes)
    const store = openSqliteStore(cut)
    const kept = store.waiting(mailbox.mailboxId, 0, 100, 1e9).map(({ envelope }) => toHex(envelope))
    await store.close()
    expect(kept).toEqual(acknowledged)
  }, 60_000)

  test('a sync that fails gives an error, never a yes, and the relay recovers when syncs work again', async () => {
    const data = directory()
    const trace = join(directory(), 'trace')
    const dry = await spawnRelay(data)
    const mailbox = await makeMailbox(dry.listening.addresses[0] ?? '')
    await dry.end()
    const counting = await spawnRelay(data, { wrapper: tracer(trace) })
    await counting.end('SIGKILL')
    // Which of the two SQLite uses depends on how it was built.
    const [call = 'fsync', ...others] = readFileSync(trace, 'utf8').match(/(?<= )f(?:data)?sync(?=\()/g) ?? []

    // The first sync after the start succeeds, four fail, then the disk is well again.
    const failing = `inject=${call}:error=EIO:when=${others.length + 3}..${others.length + 6}`
    const relay = await spawnRelay(data, { wrapper: tracer(trace, failing) })
    const address = relay.listening.addresses[0] ?? ''
    const client = await connect(address)
    const stream = await client.open(mailboxProtocol)
    const acknowledged: string[] = []
    const refusals: unknown[] = []
    const health: number[] = []
    for (let i = 0; i < 12; i++) {
      const envelope = random(1_000)
      await deposit(stream, mailbox, envelope).then(
        () => acknowledged.push(toHex(envelope)),
        (error: unknown) => refusals.push(error),
      )
      health.push((await fetch(`http://127.0.0.1:${relay.listening.port}/readyz`)).status)
    }
    await client.close()
    expect(refusals.length).toBeGreaterThan(0)
    for (const refusal of refusals) expect(refusal).toMatchObject({ name: 'RelayRefusal', code: 'internal' })
    expect(acknowledged.length).toBeGreaterThan(1)
    expect(health.filter((status) => status === 503)).toHaveLength(refusals.length)
    expect(readFileSync(trace, 'utf8')).toContain('EIO')
    await relay.end('SIGKILL')
    const again = await spawnRelay(data)
    const kept = (await drain(again.listening.addresses[0] ?? '', mailbox)).map(toHex)
    expect(kept.filter((envelope) => acknowledged.includes(envelope))).toEqual(acknowledged)
    await again.end()
  }, 60_000)
})
