import type { CryptoProvider } from '../crypto/provider.ts'
import { noble } from '../crypto/noble-provider.ts'
import { concatBytes, encodeUtf8 } from '../wire/bytes.ts'

/**
 * 32 bytes: SHA-256("Sotto_mailbox" || the 32-byte mailbox secret) (spec/relay-calls.md). The id stands in account logs and
 * invites, so everybody may know it; `register` takes the secret, which only its maker and the relay ever see. Nobody else can
 * therefore ask a relay whether an id is taken, or take it first.
 */
export const mailboxIdOf = (secret: Uint8Array, crypto: CryptoProvider = noble): Uint8Array =>
  crypto.sha256(concatBytes(encodeUtf8('Sotto_mailbox'), secret))
