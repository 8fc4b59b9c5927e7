/**
 * The primitives the protocol is made of, behind one seam: noble by default, a faster *synchronous* provider may be plugged
 * in. Every provider must pass `provider.suite.ts`.
 *
 * All functions are pure. Arguments are never changed or kept; results are fresh arrays the caller may wipe. Lengths in
 * comments are bytes. Every function but `ed25519Verify` throws ProtocolError `key` when a key, seed, nonce or randomness has
 * another length.
 */
export interface CryptoProvider {
  /** RFC 7748: public key (32) of a secret (32, clamped inside). */
  x25519PublicKey(secret: Uint8Array): Uint8Array
  /**
   * RFC 7748 with the check of section 6.1. @throws ProtocolError `key` when the output would be all zero (low order), or
   * when the public key is not canonical (bit 255 set, or not below 2^255 - 19), since two encodings of one key would give
   * the same secret.
   */
  x25519(secret: Uint8Array, publicKey: Uint8Array): Uint8Array

  /** RFC 8032: public key (32) of a seed (32). */
  ed25519PublicKey(seed: Uint8Array): Uint8Array
  /** RFC 8032, deterministic: signature (64). */
  ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array
  /** Strict RFC 8032 rules (not ZIP-215): canonical points, s below the group order. Anything malformed is just false. */
  ed25519Verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean

  /** FIPS 203 algorithm 16: from a seed d || z (64), encapsulation key (1,184) and decapsulation key (2,400). */
  mlkem768Keygen(seed: Uint8Array): KemKeyPair
  /** FIPS 203 algorithm 17 with its randomness m (32). @throws ProtocolError `key` when the modulus check fails. */
  mlkem768Encapsulate(encapsulationKey: Uint8Array, randomness: Uint8Array): KemEncapsulation
  /**
   * FIPS 203 algorithm 18: shared secret (32); a forged ciphertext gives another secret, no error.
   * @throws ProtocolError `key` on wrong lengths or a decapsulation key whose hash check fails.
   */
  mlkem768Decapsulate(decapsulationKey: Uint8Array, ciphertext: Uint8Array): Uint8Array

  /** RFC 8439: ciphertext || tag (16); key 32, nonce 12. */
  chacha20poly1305Seal(
    key: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    associatedData: Uint8Array,
  ): Uint8Array
  /** @throws ProtocolError `authentication` when the tag does not verify. */
  chacha20poly1305Open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): Uint8Array
  /** draft-irtf-cfrg-xchacha: ciphertext || tag (16); key 32, nonce 24. */
  xchacha20poly1305Seal(
    key: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    associatedData: Uint8Array,
  ): Uint8Array
  /** @throws ProtocolError `authentication` when the tag does not verify. */
  xchacha20poly1305Open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, associatedData: Uint8Array): Uint8Array

  /** FIPS 180-4 (32). */
  sha256(data: Uint8Array): Uint8Array
  /** FIPS 180-4 (64). */
  sha512(data: Uint8Array): Uint8Array
  /** RFC 2104 (32). */
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array
  /** Two HMACs under one key, which share the work on its pads: a chain step. */
  hmacSha256Pair(key: Uint8Array, first: Uint8Array, second: Uint8Array): readonly [Uint8Array, Uint8Array]
  /** RFC 5869; an empty salt stands for 32 zero bytes. @throws ProtocolError `limit` over 255 * 32 bytes. */
  hkdfSha256(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array
}

interface KemKeyPair {
  readonly encapsulationKey: Uint8Array
  readonly decapsulationKey: Uint8Array
}

interface KemEncapsulation {
  readonly ciphertext: Uint8Array
  readonly sharedSecret: Uint8Array
}

/** Key and output lengths of the algorithms, in bytes. */
export const x25519KeyBytes = 32
/** FIPS 203, table 3. */
export const mlkem768EncapsulationKeyBytes = 1_184
export const mlkem768DecapsulationKeyBytes = 2_400
export const mlkem768CiphertextBytes = 1_088
/** d || z, from which both halves come again. */
export const mlkem768SeedBytes = 64
/** Poly1305 tag, RFC 8439. */
export const aeadTagBytes = 16
/** XChaCha20: 24 bytes, so that random ones never meet, however long a key serves. */
export const xchachaNonceBytes = 24
/** RFC 5869: no salt stands for 32 zero bytes. */
export const noSalt = new Uint8Array(0)
