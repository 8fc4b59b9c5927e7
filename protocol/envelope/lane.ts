import type { CryptoProvider } from '../crypto/provider.ts'
import { noble } from '../crypto/noble-provider.ts'

/**
 * 32 bytes: SHA-256 of a 32-byte lane. The relay keeps this; who knows the lane may deposit, and whoever reads the relay's
 * database may not.
 */
export const laneHash = (lane: Uint8Array, crypto: CryptoProvider = noble): Uint8Array => crypto.sha256(lane)
