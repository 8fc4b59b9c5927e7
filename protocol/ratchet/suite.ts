import type { CryptoProvider } from '../crypto/provider.ts'
import { noble } from '../crypto/noble-provider.ts'
import { profile, type ProtocolProfile } from '../crypto/profile.ts'
import { encodeUtf8 } from '../wire/bytes.ts'
import { sealedHeader, type HeaderCodec } from './header.ts'

/** What the ratchet is run with: primitives, the labels of its root steps, and the form of its headers. */
export interface RatchetSuite {
  readonly crypto: CryptoProvider
  readonly rootLabel: Uint8Array
  /** Label of a root step that takes a KEM secret as well; without it no KEM step is ever offered. */
  readonly kemRootLabel?: Uint8Array
  readonly header: HeaderCodec
}

const ratchetSuite = (crypto: CryptoProvider, { labels }: ProtocolProfile): RatchetSuite => ({
  crypto,
  rootLabel: encodeUtf8(labels.root),
  kemRootLabel: encodeUtf8(labels.rootKem),
  header: sealedHeader,
})

const suites = new WeakMap<CryptoProvider, RatchetSuite>()

/** Sotto's suite over the given primitives, made once for each provider: every message wants it. */
export const suiteOf = (crypto: CryptoProvider): RatchetSuite => {
  const known = suites.get(crypto)
  if (known !== undefined) return known
  const suite = ratchetSuite(crypto, profile)
  suites.set(crypto, suite)
  return suite
}

/** Over the default provider. */
export const defaultSuite = suiteOf(noble)
