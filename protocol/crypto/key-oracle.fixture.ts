import { toHex } from '../wire/bytes.ts'
import type { CryptoProvider } from './provider.ts'

/**
 * A provider that remembers every (key, nonce) it sealed with and throws when one comes again with another plaintext or other
 * associated data. For tests only.
 */
export const keyOracle = (
  provider: CryptoProvider,
): CryptoProvider & { readonly sealed: ReadonlyMap<string, string> } => {
  const sealed = new Map<string, string>()
  const watch =
    (seal: CryptoProvider['chacha20poly1305Seal']): CryptoProvider['chacha20poly1305Seal'] =>
    (key, nonce, plaintext, associatedData) => {
      const pair = `${toHex(key)} ${toHex(nonce)}`
      const what = `${toHex(plaintext)} ${toHex(associatedData)}`
      if ((sealed.get(pair) ?? what) !== what) throw new Error(`key and nonce used twice: ${pair}`)
      sealed.set(pair, what)
      return seal(key, nonce, plaintext, associatedData)
    }
  return {
    ...provider,
    chacha20poly1305Seal: watch(provider.chacha20poly1305Seal),
    xchacha20poly1305Seal: watch(provider.xchacha20poly1305Seal),
    sealed,
  }
}
