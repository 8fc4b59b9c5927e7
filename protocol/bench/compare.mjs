import { noble } from '../crypto/noble-provider.ts'
import { alternate, inTurn, median } from './measure.mjs'
import { olm } from './olm.mjs'
import { sotto } from './sotto.mjs'
import { vodozemac } from './vodozemac.mjs'

const text = (length) => new Uint8Array(length).fill(120)

/** 200 bytes of ASCII: two sentences. */
const message = text(200)

/** Lengths whose envelopes are compared: a word, two sentences, half a page. */
const sizes = [10, 200, 2_000]

/** A pair of sessions in which both sides have heard of each other, as after the first answers. */
const settled = async (system) => {
  const pair = await system.pair(message)
  for (let i = 0; i < 2; i++) {
    await pair.back(message)
    await pair.there(message)
  }
  return pair
}

const microseconds = (perSecond) => 1e6 / perSecond
const asItIs = (perSecond) => perSecond

/** One measured thing: per system a function that does it once. `of` makes the figure from operations per second. */
const timed = [
  {
    name: 'establish: first message sealed and opened',
    unit: 'sessions/s',
    of: asItIs,
    runOf: async (system) => () => system.establish(message),
  },
  {
    name: 'stream: 200 B sealed and opened, one way',
    unit: 'messages/s',
    of: asItIs,
    runOf: async (system) => {
      const { there } = await settled(system)
      return () => there(message)
    },
  },
  {
    name: 'ping-pong: 200 B there and back',
    unit: 'rounds/s',
    of: asItIs,
    runOf: async (system) => {
      const { there, back } = await settled(system)
      return () =>
        inTurn(
          () => there(message),
          () => back(message),
        )
    },
  },
  {
    name: 'encryption of 200 B',
    unit: 'µs',
    of: microseconds,
    runOf: async (system) => {
      const { seal } = await settled(system)
      return () => seal(message)
    },
  },
]

const row = (name, unit, ours, peer, peerValue, runs) => ({
  part: 'protocol',
  name,
  unit,
  ours,
  peer,
  peerValue,
  ratio: ours / peerValue,
  runs,
})

const speeds = async (where, ours, peers, options) => {
  const rows = []
  for (const { name, unit, of, runOf } of timed) {
    const cases = []
    for (const system of [ours, ...peers]) cases.push({ name: system.name, run: await runOf(system) })
    const figures = await alternate(cases, options)
    const figure = (system) => of(median(figures.get(system.name)))
    for (const peer of peers) {
      rows.push(row(`${where}, ${name}`, unit, figure(ours), peer.name, figure(peer), options.rounds))
    }
  }
  return rows
}

/** What ML-KEM-768 costs a session: key generation, encapsulation and decapsulation, each once, with either provider. */
const kemCost = async (where, provider, options) => {
  const [seed, randomness] = [text(64), text(32)]
  const run = (crypto) => () => {
    const { encapsulationKey, decapsulationKey } = crypto.mlkem768Keygen(seed)
    const { ciphertext } = crypto.mlkem768Encapsulate(encapsulationKey, randomness)
    return crypto.mlkem768Decapsulate(decapsulationKey, ciphertext)
  }
  const cases = [
    { name: 'libsodium', run: run(provider) },
    { name: 'noble', run: run(noble) },
  ]
  const figures = await alternate(cases, options)
  const ms = (name) => 1e3 / median(figures.get(name))
  const name = `${where}, ML-KEM-768 of a session: keys, encapsulation, decapsulation`
  return row(name, 'ms', ms('libsodium'), 'noble', ms('noble'), options.rounds)
}

/** 1,000 messages: twenty KEM steps. */
const conversation = 1_000

/** Mean bytes of a message beside its 200 B of content, in a conversation that alternates. */
const meanAround = async (system) => {
  const { there, back } = await settled(system)
  let sum = 0
  for (let i = 0; i < conversation; i++) sum += (await (i % 2 === 0 ? there : back)(message)).around
  return sum / conversation
}

const lengths = async (where, ours, peers) => {
  const rows = []
  const compare = async (name, of) => {
    const own = await of(ours)
    for (const peer of peers) rows.push(row(`${where}, ${name}`, 'B', own, peer.name, await of(peer), 1))
  }
  for (const size of sizes) {
    await compare(`first envelope around ${size} B`, async (system) => (await system.establish(text(size))).bytes)
    await compare(`later envelope around ${size} B`, async (system) => {
      const { there } = await settled(system)
      return (await there(text(size))).bytes
    })
  }
  await compare('later message beside its content, ours before padding', async (system) => {
    const { there } = await settled(system)
    await there(message)
    return (await there(message)).around
  })
  await compare(`the same, mean of ${conversation} that alternate, KEM steps included`, meanAround)
  return rows
}

/**
 * All rows of one environment.
 * @param where its name, e.g. `Node 24.21.0`
 * @param systems `{ provider, wasm, peers }`: the app's provider; the peers' WebAssembly, `{ olm, vodozemac }` as
 *   Uint8Array; peers that exist only here
 * @param options `{ rounds, sliceMs }`
 */
export const compare = async (where, { provider, wasm, peers = [] }, options) => {
  const ours = sotto('Sotto', provider)
  const others = [await olm(wasm.olm), vodozemac(wasm.vodozemac), ...peers]
  return [
    ...(await speeds(where, ours, [...others, sotto('Sotto with noble', noble)], options)),
    await kemCost(where, provider, options),
    ...(await lengths(where, ours, others)),
  ]
}
