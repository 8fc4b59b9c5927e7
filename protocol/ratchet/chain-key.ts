import type { CryptoProvider } from '../crypto/provider.ts'
import type { ChainKey, MessageKey } from './keys.ts'

const forMessage = Uint8Array.of(1)
const forNext = Uint8Array.of(2)

/** KDF_CK of the Double Ratchet (section 5.2): HMAC-SHA256 of 0x01 is the message key, of 0x02 the next chain key. */
export const advanceChain = (
  crypto: CryptoProvider,
  chainKey: ChainKey,
): { readonly messageKey: MessageKey; readonly chainKey: ChainKey } => {
  const [messageKey, next] = crypto.hmacSha256Pair(chainKey, forMessage, forNext)
  return { messageKey: messageKey as MessageKey, chainKey: next as ChainKey }
}
