/**
 * What can go wrong inside `protocol/`; the caller decides by `code` alone.
 *
 * - `malformed`: the bytes are not a well-formed, canonical encoding of the expected struct.
 * - `limit`: well-formed, but over a limit of `limits.ts` or of the struct.
 * - `version`: made by another version of the protocol, nearly always a newer one; the person needs an update.
 * - `signature`: a signature or signed chain does not verify.
 * - `key`: a key or Diffie-Hellman output is not acceptable (RFC 7748 section 6.1, all-zero output).
 * - `authentication`: an AEAD tag does not verify.
 * - `foreign`: the envelope belongs to no session or prekey given.
 * - `duplicate`: the message number was already consumed.
 * - `unknown-prekey`: the handshake names a prekey that is not (any longer) there.
 * - `conflict`: a chain (account log) does not extend the one already known.
 */
export type ProtocolErrorCode =
  | 'malformed'
  | 'limit'
  | 'version'
  | 'signature'
  | 'key'
  | 'authentication'
  | 'foreign'
  | 'duplicate'
  | 'unknown-prekey'
  | 'conflict'

/** The one error class of `protocol/`. Messages never contain key material or content. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode

  constructor(code: ProtocolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
