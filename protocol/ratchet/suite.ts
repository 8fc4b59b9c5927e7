import type { CryptoProvider } from '../crypto/provider.ts'
import { noble } from '../crypto/noble-provider.ts'
import { profile, type ProtocolProfile } from '../crypto/profile.ts'
import { encodeUtf8 } from '../wire/bytes.ts'
import { sealedHeader, type HeaderCodec } from './header.ts'

/** What the ratchet is run with: primitives, the label of its root step, and the form of its headers. */
export interface RatchetSuite {
  readonly crypto: CryptoProvider
  readonly rootLabel: Uint8Array
  readonly header: HeaderCodec
}

/** Sotto's suite over the given primitives. */
export const ratchetSuite = (crypto: CryptoProvider, { labels }: ProtocolProfile = profile): RatchetSuite => ({
  crypto,
  rootLabel: encodeUtf8(labels.root),
  header: sealedHeader,
})

/** The default, made once. */
export const defaultSuite = ratchetSuite(noble)
