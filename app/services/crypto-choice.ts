import type { CryptoProvider } from '../../protocol/crypto/provider.ts'

/**
 * Which provider computes. It begins with one that is there at once, so that nothing waits, and may change to a faster one
 * between any two calls: both give the same results, so a step that began with one may end with the other.
 */
export interface CryptoChoice {
  readonly current: () => CryptoProvider
  /** Takes over what `load` gives; the first call counts. Rejects when it gives nothing: then all stays as it is. */
  readonly improve: () => Promise<void>
}

export const createCryptoChoice = (first: CryptoProvider, load?: () => Promise<CryptoProvider>): CryptoChoice => {
  let current = first
  let improving: Promise<void> | undefined
  const improve = async (): Promise<void> => {
    if (load) current = await load()
  }
  return { current: () => current, improve: () => (improving ??= improve()) }
}
