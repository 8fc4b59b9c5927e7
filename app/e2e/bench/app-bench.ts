import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeHistory } from '../harness/history.ts'
import type { Person } from '../harness/person.ts'
import { introduce, World } from '../harness/scenario.ts'
import { measureSizes } from '../../../.ci/size.ts'
import { bubbleLatencies } from './bubble.ts'
import { latencies, rawChannel } from './latency.ts'
import { throughput } from './throughput.ts'

// usage: node app/e2e/bench/app-bench.ts --json FILE [--messages 10000]

/** One line of the table; only latency has a peer to stand beside. */
interface BenchRow {
  readonly part: 'app'
  readonly name: string
  readonly unit: string
  readonly ours: number
  readonly peer?: string
  readonly peerValue?: number
  readonly ratio?: number
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

/** Browsers between which no data channel can open. */
const withoutLinks = {
  extraArguments: [
    '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
    '--webrtc-ip-handling-policy=disable_non_proxied_udp',
  ],
}

/** From key to eye, directly and by the relay, beside a bare data channel; and how many messages a second get through. */
const measureDelivery = async (world: World): Promise<BenchRow[]> => {
  const rows: BenchRow[] = []
  const direct = await introduce(world)
  await direct.alice.expectConnection('Direct')
  const raw = await rawChannel(direct.alice.page, direct.bob.page, 500)
  const beside = (name: string, measured: readonly number[]): void => {
    for (const share of [0.5, 0.99]) {
      const [ours, peerValue] = [quantile(measured, share), quantile(raw, share)]
      const peer = 'bare data channel'
      const ratio = ours / peerValue
      rows.push({
        part: 'app',
        name: `${name}, p${share * 100}`,
        unit: 'ms',
        ours,
        ...{ peer, peerValue, ratio },
        runs: measured.length,
      })
    }
  }
  beside('key to eye, direct', await latencies(direct.alice, direct.bob, 1, 200))
  const perSecond = await throughput(direct.alice, direct.bob, 10_000)
  rows.push({ part: 'app', name: 'one conversation, sustained', unit: 'messages/s', ours: perSecond, runs: 1 })
  await Promise.all([direct.alice.profile.close(), direct.bob.profile.close()])
  const relayed = await introduce(world, withoutLinks)
  beside('key to eye, by relay', await latencies(relayed.alice, relayed.bob, 1, 200))
  return rows
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

  rows.push(...(await measureDelivery(world)))
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
