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

/** Sotto's suite over the given primitives. */
export const ratchetSuite = (crypto: CryptoProvider, { labels }: ProtocolProfile = profile): RatchetSuite => ({
  crypto,
  rootLabel: encodeUtf8(labels.root),
  kemRootLabel: encodeUtf8(labels.rootKem),
  header: sealedHeader,
})

/** The default, made once. */
export const defaultSuite = ratchetSuite(noble)
