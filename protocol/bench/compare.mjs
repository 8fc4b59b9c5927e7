import { alternate, median } from './measure.mjs'
import { olm } from './olm.mjs'
import { sotto } from './sotto.mjs'
import { vodozemac } from './vodozemac.mjs'

/** 200 bytes of ASCII: two sentences. */
const message = new Uint8Array(200).fill(120)

/** Lengths whose envelopes are compared: a word, two sentences, half a page. */
const sizes = [10, 200, 2_000]

const text = (length) => new Uint8Array(length).fill(120)

/** A pair of sessions in which both sides have heard of each other, as after the first answer. */
const settled = (system) => {
  const pair = system.pair(message)
  pair.back(message)
  pair.there(message)
  return pair
}

/** One measured thing: per system a function that does it once. */
const timed = [
  {
    name: 'establish: first message sealed and opened',
    unit: 'sessions/s',
    runOf: (system) => () => system.establish(message),
  },
  {
    name: 'stream: 200 B sealed and opened, one way',
    unit: 'messages/s',
    runOf: (system) => {
      const { there } = settled(system)
      return () => there(message)
    },
  },
  {
    name: 'ping-pong: 200 B there and back',
    unit: 'rounds/s',
    runOf: (system) => {
      const { there, back } = settled(system)
      return () => {
        there(message)
        back(message)
      }
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

const speeds = (where, ours, peers, options) =>
  timed.flatMap(({ name, unit, runOf }) => {
    const cases = [ours, ...peers].map((system) => ({ name: system.name, run: runOf(system) }))
    const figures = alternate(cases, options)
    const own = median(figures.get(ours.name))
    return peers.map((peer) =>
      row(`${where}, ${name}`, unit, own, peer.name, median(figures.get(peer.name)), options.rounds),
    )
  })

const lengths = (where, ours, peers) =>
  sizes.flatMap((size) =>
    peers.flatMap((peer) => {
      const first = (system) => system.establish(text(size)).bytes
      const later = (system) => settled(system).there(text(size))
      return [
        row(`${where}, first envelope around ${size} B`, 'B', first(ours), peer.name, first(peer), 1),
        row(`${where}, later envelope around ${size} B`, 'B', later(ours), peer.name, later(peer), 1),
      ]
    }),
  )

/**
 * All rows of one environment.
 * @param where its name, e.g. `Node 24.21.0`
 * @param wasm the peers' WebAssembly, `{ olm, vodozemac }` as Uint8Array
 * @param options `{ rounds, sliceMs }`
 */
export const compare = async (where, wasm, options) => {
  const ours = sotto()
  const peers = [await olm(wasm.olm), vodozemac(wasm.vodozemac)]
  return [...speeds(where, ours, peers, options), ...lengths(where, ours, peers)]
}
