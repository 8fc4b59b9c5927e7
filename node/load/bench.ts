import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { mailboxProtocol } from '../../protocol/relay/mailbox-calls.ts'
import { connect, deposit, drain, makeMailbox, random, type RelayClient, type TestMailbox } from './relay-client.ts'
import { killLeftovers, spawnRelay } from './relay-process.ts'

// usage: node node/load/bench.ts [--json FILE]: a real relay process with default limits, real libp2p connections.

/** Medians of this many runs. */
const runs = 5

/** What a short text is with its padding and headers. */
const envelopeBytes = 512

/** Within one lane's burst of 2,000 and one connection's of 5,000: the limits are those of every relay. */
const depositsPerSender = 1_500

/** Under way at once per sender: what an outbox that comes back from offline has. */
const pipelined = 64

interface BenchRow {
  readonly part: string
  readonly name: string
  readonly unit: string
  readonly ours: number
  readonly peer?: string
  readonly peerValue?: number
  readonly ratio?: number
  readonly runs: number
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const perSecond = async (count: number, work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work()
  return (count * 1_000) / (performance.now() - start)
}

/** What the disk gives: one row per transaction, each synced, as SQLite does it without anything around it. */
const rawCommits = (folder: string, count: number): Promise<number> => {
  const database = new DatabaseSync(join(folder, `raw-${random(4).join('')}.sqlite`))
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE row (id INTEGER PRIMARY KEY, data BLOB)',
  )
  const insert = database.prepare('INSERT INTO row (data) VALUES (?)')
  const data = random(envelopeBytes)
  return perSecond(count, async () => {
    for (let i = 0; i < count; i++) insert.run(data)
  }).finally(() => database.close())
}

/** Keeps `pipelined` deposits under way until all are acknowledged. */
const sendAll = async (count: number, send: () => Promise<unknown>): Promise<void> => {
  let left = count
  const lane = async (): Promise<void> => {
    while (left-- > 0) await send()
  }
  await Promise.all(Array.from({ length: pipelined }, lane))
}

interface Measured {
  readonly deposits: number
  readonly drained: number
}

/** One run: `senders` connections deposit at once into as many mailboxes, then one mailbox after the other is drained. */
const measure = async (address: string, senders: number, perSender: number): Promise<Measured> => {
  const mailboxes: TestMailbox[] = []
  for (let i = 0; i < senders; i++) mailboxes.push(await makeMailbox(address))
  const clients: RelayClient[] = []
  for (let i = 0; i < senders; i++) clients.push(await connect(address))
  const streams = await Promise.all(clients.map((client) => client.open(mailboxProtocol)))
  const deposits = await perSecond(senders * perSender, () =>
    Promise.all(
      mailboxes.map(async (mailbox, i) => {
        const stream = streams[i]
        if (stream) await sendAll(perSender, () => deposit(stream, mailbox, random(envelopeBytes)))
      }),
    ),
  )
  await Promise.all(clients.map((client) => client.close()))
  const drained = await perSecond(senders * perSender, async () => {
    for (const mailbox of mailboxes) await drain(address, mailbox, { count: perSender })
  })
  return { deposits, drained }
}

const progress = (text: string): void => void process.stderr.write(`  ${text}\n`)

const folder = mkdtempSync(join(tmpdir(), 'sotto-load-'))
process.on('exit', () => {
  killLeftovers()
  rmSync(folder, { recursive: true, force: true })
})

const raw: number[] = []
const alone: Measured[] = []
const together: Measured[] = []
const relay = await spawnRelay(join(folder, 'relay'))
const address = relay.listening.addresses[0] ?? ''
for (let run = 1; run <= runs; run++) {
  raw.push(await rawCommits(folder, 1_000))
  alone.push(await measure(address, 1, depositsPerSender))
  together.push(await measure(address, 32, depositsPerSender / 10))
  progress(
    `run ${run} of ${runs}: ${Math.round(alone.at(-1)?.deposits ?? 0)} and ${Math.round(together.at(-1)?.deposits ?? 0)} deposits/s`,
  )
}
await relay.end()

const beside = { peer: 'one synced SQLite commit each', peerValue: median(raw), runs }
const rowOf = (name: string, values: readonly number[]): BenchRow => {
  const ours = median(values)
  return { part: 'relay', name, unit: '/s', ours, ...beside, ratio: ours / beside.peerValue }
}
const rows = [
  rowOf(
    'deposits, 1 sender',
    alone.map(({ deposits }) => deposits),
  ),
  rowOf(
    'deposits, 32 senders',
    together.map(({ deposits }) => deposits),
  ),
  rowOf(
    'drain, 1 mailbox',
    alone.map(({ drained }) => drained),
  ),
]
const at = process.argv.indexOf('--json')
const file = at < 0 ? undefined : process.argv[at + 1]
if (file === undefined) console.log(JSON.stringify(rows, null, 2))
else writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`)
process.exit(0)
