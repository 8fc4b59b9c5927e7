import { noSalt, type CryptoProvider } from '../crypto/provider.ts'
import type { ProtocolProfile } from '../crypto/profile.ts'
import type { HeaderKey, RootKey } from '../ratchet/keys.ts'
import type { InitialKeys } from '../ratchet/state.ts'
import { concatBytes, encodeUtf8, wipe } from '../wire/bytes.ts'

/** Everything that comes from SK; SK itself is not kept. */
export interface SessionKeys {
  /** 16 bytes, the same on both sides. */
  readonly sessionId: Uint8Array
  readonly ratchet: InitialKeys
  /** Key of signals that the initiator sends, 32 bytes. */
  readonly initiatorSignalKey: Uint8Array
  /** Key of signals that the responder sends, 32 bytes. */
  readonly responderSignalKey: Uint8Array
}

/** Derives the session's keys from SK (32 bytes). */
export const deriveSessionKeys = (
  crypto: CryptoProvider,
  { labels }: ProtocolProfile,
  secret: Uint8Array,
): SessionKeys => {
  const derive = (info: Uint8Array, length: number) => crypto.hkdfSha256(secret, noSalt, info, length)
  const signalLabel = encodeUtf8(labels.signal)
  const init = derive(encodeUtf8(labels.init), 96)
  const keys = {
    sessionId: derive(encodeUtf8(labels.session), 16),
    ratchet: {
      rootKey: init.slice(0, 32) as RootKey,
      initiatorHeaderKey: init.slice(32, 64) as HeaderKey,
      responderHeaderKey: init.slice(64) as HeaderKey,
    },
    initiatorSignalKey: derive(concatBytes(signalLabel, Uint8Array.of(0)), 32),
    responderSignalKey: derive(concatBytes(signalLabel, Uint8Array.of(1)), 32),
  }
  wipe(init)
  return keys
}
