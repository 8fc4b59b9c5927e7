import olmUrl from '@matrix-org/olm/olm.wasm?url'
import vodozemacUrl from 'vodozemac-wasm-bindings/vodozemac_bg.wasm?url'
import { loadSodium } from '../../app/crypto/load-sodium.ts'
import { compare } from './compare.mjs'

const fetchBytes = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer())

globalThis.runBench = async (where, options) => {
  const wasm = { olm: await fetchBytes(olmUrl), vodozemac: await fetchBytes(vodozemacUrl) }
  return compare(where, { provider: await loadSodium(), wasm }, options)
}
