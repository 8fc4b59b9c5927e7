import { loadSodium } from '../../app/crypto/load-sodium.ts'

/** libsodium under the name of the default provider: held to the same results by its tests, and ten times as fast. */
export const noble = await loadSodium()
