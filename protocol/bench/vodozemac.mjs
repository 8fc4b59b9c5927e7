import { Account, initSync } from 'vodozemac-wasm-bindings'
import { binaryLength, wasmPeer } from './wasm-peer.mjs'

/**
 * The start routine of this package writes a greeting into the page and traps where there is no page; everything else works
 * without it, and its exports are in place before it runs.
 */
const start = (module) => {
  try {
    initSync({ module })
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError) || typeof document !== 'undefined') throw error
  }
}

/** vodozemac, compiled to WebAssembly. The fallback key stands in for one-time keys, which it would forget after one use. */
export const vodozemac = (wasmBinary) => {
  start(wasmBinary)
  const [alice, bob] = [new Account(), new Account()]
  bob.generate_fallback_key()
  const [fallbackKey] = bob.fallback_key.values()
  const [aliceKey, bobKey] = [alice.curve25519_key, bob.curve25519_key]

  const open = (message) => {
    const near = alice.create_outbound_session(bobKey, fallbackKey)
    const sent = near.encrypt(message)
    const { ciphertext } = sent
    const answered = bob.create_inbound_session(aliceKey, sent.message_type, ciphertext)
    const far = answered.session
    sent.free()
    return { near, far, bytes: binaryLength(ciphertext) }
  }
  const seal = (from, message) => {
    const sent = from.encrypt(message)
    const { ciphertext, message_type: type } = sent
    sent.free()
    return { bytes: binaryLength(ciphertext), openAt: (to) => to.decrypt(type, ciphertext) }
  }
  return wasmPeer('vodozemac (wasm bindings 0.8.1)', open, seal)
}
