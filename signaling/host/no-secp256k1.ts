/*
 * Stands in for secp256k1 in the app's build (`vite.config.ts`): devices and relays have Ed25519 keys, and a peer that shows
 * another kind of key is nobody we know. It keeps a second curve out of what a page loads and evaluates.
 */

const refuse = (): never => {
  throw new TypeError('peers have Ed25519 keys here')
}

export const secp256k1 = {
  sign: refuse,
  verify: refuse,
  getPublicKey: refuse,
  Point: { fromBytes: refuse },
  utils: { randomSecretKey: refuse },
}
