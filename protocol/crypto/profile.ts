/**
 * Every KDF label of the handshake, the ratchet and the session in one object, so that tests can run the same production
 * code with the labels of other implementations. The name is bound into the handshake transcript and the associated data:
 * two profiles never understand each other.
 */
export interface ProtocolProfile {
  readonly name: string
  readonly labels: {
    /** PQXDH, key that seals who is calling. Followed by T. */
    readonly handshakeIdentity: string
    /** PQXDH, SK. Followed by T and the initiator's ids and identity key. */
    readonly handshakeSecret: string
    /** SHA-256 prefix of the tag that names one handshake. */
    readonly handshakeTag: string
    /** Root key and first header keys from SK. */
    readonly init: string
    /** 16 bytes from SK: the session's id, which also decides between sessions of one generation. */
    readonly session: string
    /** Signal keys from SK. Followed by one byte: 0 what the initiator sends, 1 what the responder sends. */
    readonly signal: string
    /** Root step: root key, chain key, next header key. */
    readonly root: string
    /** Root step that takes a KEM secret as well. Followed by SHA-256(KEM key || ciphertext). */
    readonly rootKem: string
  }
}

/** Sotto, version 2. */
export const profile: ProtocolProfile = {
  name: 'Sotto/2',
  labels: {
    handshakeIdentity: 'Sotto_PQXDH_identity',
    handshakeSecret: 'Sotto_PQXDH_X25519_SHA-256_ML-KEM-768',
    handshakeTag: 'Sotto_handshake_tag',
    init: 'Sotto_init',
    session: 'Sotto_session',
    signal: 'Sotto_signal',
    root: 'Sotto_root',
    rootKem: 'Sotto_kem_root',
  },
}
