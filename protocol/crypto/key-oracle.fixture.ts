import { toHex } from '../wire/bytes.ts'
import type { CryptoProvider } from './provider.ts'

export interface KeyOracle extends CryptoProvider {
  /** Digests of every (key, nonce) sealed with, each with the digest of what was sealed. */
  readonly sealed: ReadonlyMap<string, string>
  /** How often one and the same thing was sealed again with the same key and nonce. */
  readonly repeats: () => number
}

/**
 * A provider that remembers every (key, nonce) it sealed with and throws when one comes again with another plaintext or other
 * associated data. It keeps 16 bytes of SHA-256 of each, so that a million steps fit into memory. For tests only.
 */
export const keyOracle = (provider: CryptoProvider): KeyOracle => {
  const sealed = new Map<string, string>()
  let repeats = 0
  const digest = (...parts: readonly Uint8Array[]): string =>
    Buffer.from(provider.sha256(Buffer.concat(parts)).subarray(0, 16)).toString('latin1')
  const watch =
    (seal: CryptoProvider['chacha20poly1305Seal']): CryptoProvider['chacha20poly1305Seal'] =>
    (key, nonce, plaintext, associatedData) => {
      const result = seal(key, nonce, plaintext, associatedData)
      const pair = digest(key, nonce)
      // The ciphertext tells the plaintext apart under one key and nonce; its tag, the associated data.
      const what = digest(result)
      const before = sealed.get(pair)
      if (before !== undefined && before !== what) throw new Error(`key used twice with nonce ${toHex(nonce)}`)
      if (before !== undefined) repeats++
      sealed.set(pair, what)
      return result
    }
  return {
    ...provider,
    chacha20poly1305Seal: watch(provider.chacha20poly1305Seal),
    xchacha20poly1305Seal: watch(provider.xchacha20poly1305Seal),
    sealed,
    repeats: () => repeats,
  }
}
