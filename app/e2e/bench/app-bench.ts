import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeHistory } from '../harness/history.ts'
import type { Person } from '../harness/person.ts'
import { introduce, World } from '../harness/scenario.ts'
import { measureSizes } from '../../../.ci/size.ts'
import { bubbleLatencies } from './bubble.ts'

// usage: node app/e2e/bench/app-bench.ts --json FILE [--messages 10000]

/** One line of the table; the app has no peer to stand beside. */
interface BenchRow {
  readonly part: 'app'
  readonly name: string
  readonly unit: string
  readonly ours: number
  readonly runs: number
}

const option = (name: string, fallback: string): string => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? fallback : (process.argv[at + 1] ?? fallback)
}

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN

/** From the browser asking for the page to the last message on screen, in an existing profile. */
const coldStart = async (
  person: Person & { profile: { close(): Promise<void>; open(): Promise<Person['page']> } },
  url: string,
  last: string,
): Promise<number> => {
  await person.profile.close()
  person.page = await person.profile.open()
  const startedMs = performance.now()
  await person.page.goto(url)
  await person.openConversation('Bob')
  await person.expectMessage(last)
  return performance.now() - startedMs
}

const measure = async (world: World, messages: number): Promise<BenchRow[]> => {
  const rows: BenchRow[] = []
  const row = (name: string, unit: string, ours: number, runs: number): void => {
    rows.push({ part: 'app', name, unit, ours, runs })
  }
  const sizes = await measureSizes()
  row('JavaScript until first paint', 'KiB gz', sizes.firstPaintKiB, 1)
  row('JavaScript until messages flow', 'KiB gz', sizes.everythingKiB, 1)
  row('JavaScript after that, for speed', 'KiB gz', sizes.afterwardsKiB, 1)

  const { relay, alice } = await introduce(world)
  const early = await bubbleLatencies(alice, 100)
  row('Enter to bubble, p50', 'ms', quantile(early, 0.5), early.length)
  row('Enter to bubble, p95', 'ms', quantile(early, 0.95), early.length)
  await writeHistory(alice, messages, (written) => process.stderr.write(`history: ${written} of ${messages}\n`))
  const late = await bubbleLatencies(alice, 100)
  row(`Enter to bubble after ${messages} messages, p50`, 'ms', quantile(late, 0.5), late.length)
  row(`Enter to bubble after ${messages} messages, p95`, 'ms', quantile(late, 0.95), late.length)

  const starts: number[] = []
  for (let run = 0; run < 5; run++) starts.push(await coldStart(alice, relay.url, 'bubble 99 '))
  row(`cold start to usable with ${messages} messages`, 'ms', quantile(starts, 0.5), starts.length)
  return rows
}

const world = new World(await mkdtemp(join(tmpdir(), 'sotto-bench-')))
try {
  const rows = await measure(world, Number(option('messages', '10000')))
  await writeFile(option('json', '/dev/stdout'), `${JSON.stringify(rows, null, 2)}\n`)
} finally {
  await world.end()
}
