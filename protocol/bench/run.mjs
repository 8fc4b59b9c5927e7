import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

// usage: node protocol/bench/run.mjs [--json FILE] [--rounds N] [--slice MS] [--only node|browser]

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    // 9 rounds of 200 ms: medians of two runs on one machine then differ by a few percent.
    rounds: { type: 'string', default: '9' },
    slice: { type: 'string', default: '200' },
    only: { type: 'string' },
  },
})

const say = (line) => process.stderr.write(`${line}\n`)

/** The peers are heavy and serve only here, so they are no part of the main install. */
const installPeers = () => {
  const here = fileURLToPath(new URL('.', import.meta.url))
  const peers = ['@matrix-org/olm', 'vodozemac-wasm-bindings', '@signalapp/libsignal-client']
  if (peers.every((name) => existsSync(`${here}node_modules/${name}`))) return
  say('Installing the peers (libolm, vodozemac, libsignal) into protocol/bench/node_modules …')
  const { status } = spawnSync('npm', ['ci', '--prefix', here, '--no-audit', '--no-fund', '--ignore-scripts'], {
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) {
    say('The peers could not be installed; is the npm registry reachable?')
    process.exit(1)
  }
}

const number = (value) => value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 })

const print = (rows) => {
  const table = [
    ['what', 'unit', 'ours', 'peer', 'theirs', 'ours / theirs'],
    ...rows.map(({ name, unit, ours, peer, peerValue, ratio }) => [
      name,
      unit,
      number(ours),
      peer,
      number(peerValue),
      ratio.toFixed(2),
    ]),
  ]
  const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)))
  for (const line of table)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
}

installPeers()
const options = { rounds: Number(values.rounds), sliceMs: Number(values.slice) }
const rows = []
if (values.only !== 'browser') {
  say('Measuring in Node …')
  const { inNode } = await import('./in-node.mjs')
  rows.push(...(await inNode(options)))
}
if (values.only !== 'node') {
  say('Measuring in Chromium …')
  const { inBrowser } = await import('./in-browser.mjs')
  rows.push(...(await inBrowser(options)))
}
print(rows)
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows, null, 2)}\n`)
