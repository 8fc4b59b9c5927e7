import Olm from '@matrix-org/olm'
import { binaryLength, wasmPeer } from './wasm-peer.mjs'

const decoder = new TextDecoder()

/** libolm, compiled to WebAssembly. One-time keys are reused, so that making them is not part of establishing. */
export const olm = async (wasmBinary) => {
  // Assigned by libolm without a declaration, which a bundle (strict mode) would refuse.
  globalThis.OLM_OPTIONS = {}
  await Olm.init({ wasmBinary })
  const [alice, bob] = [new Olm.Account(), new Olm.Account()]
  alice.create()
  bob.create()
  bob.generate_one_time_keys(1)
  const [oneTimeKey] = Object.values(JSON.parse(bob.one_time_keys()).curve25519)
  const bobKey = JSON.parse(bob.identity_keys()).curve25519

  const open = (message) => {
    const [near, far] = [new Olm.Session(), new Olm.Session()]
    near.create_outbound(alice, bobKey, oneTimeKey)
    const sent = near.encrypt(decoder.decode(message))
    far.create_inbound(bob, sent.body)
    far.decrypt(sent.type, sent.body)
    return { near, far, bytes: binaryLength(sent.body) }
  }
  const seal = (from, message) => {
    const { type, body } = from.encrypt(decoder.decode(message))
    return { bytes: binaryLength(body), openAt: (to) => to.decrypt(type, body) }
  }
  return wasmPeer('libolm 3.2.15 (wasm)', open, seal)
}
