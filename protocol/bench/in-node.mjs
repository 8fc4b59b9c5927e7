import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { compare } from './compare.mjs'

const require = createRequire(import.meta.url)
const read = async (name) => new Uint8Array(await readFile(require.resolve(name)))

/** The rows of this Node. */
export const inNode = async (options) =>
  compare(
    `Node ${process.versions.node}`,
    { olm: await read('@matrix-org/olm/olm.wasm'), vodozemac: await read('vodozemac-wasm-bindings/vodozemac_bg.wasm') },
    options,
  )
