import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { loadSodium } from '../../app/crypto/load-sodium.ts'
import { compare } from './compare.mjs'
import { libsignal } from './libsignal.mjs'

const require = createRequire(import.meta.url)
const read = async (name) => new Uint8Array(await readFile(require.resolve(name)))

/** The rows of this Node. */
export const inNode = async (options) => {
  const wasm = {
    olm: await read('@matrix-org/olm/olm.wasm'),
    vodozemac: await read('vodozemac-wasm-bindings/vodozemac_bg.wasm'),
  }
  const systems = { provider: await loadSodium(), wasm, peers: [await libsignal()] }
  return compare(`Node ${process.versions.node}`, systems, options)
}
