import { pureJsCrypto, type ICryptoInterface } from '@libp2p/noise'
import { x25519 } from '@noble/curves/ed25519.js'

/** A key pair by the Montgomery ladder (RFC 7748 section 5): the public key is the secret times the base point, u = 9. */
const pairOf = (privateKey: Uint8Array): { publicKey: Uint8Array; privateKey: Uint8Array } => ({
  publicKey: x25519.scalarMult(privateKey, x25519.GuBytes),
  privateKey,
})

/**
 * What Noise computes with on a page. As the library's own, except that no table of the curve's multiples is made for the first key
 * pair: a host makes two or three pairs, and the table holds the page up for 50 ms.
 */
const pageCrypto: ICryptoInterface = {
  ...pureJsCrypto,
  generateX25519KeyPair: () => pairOf(x25519.utils.randomSecretKey()),
  generateX25519KeyPairFromSeed: pairOf,
}

/** Options for `noise()`. Node has its own cryptography, which the library takes by itself. */
export const noiseOptions: { crypto?: ICryptoInterface } = 'document' in globalThis ? { crypto: pageCrypto } : {}
