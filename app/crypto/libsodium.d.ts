/**
 * The part of the raw module `libsodium` (compiled by emscripten, no wrappers) that is used. The names are libsodium's with an
 * underscore before them. `Pointer` is an offset into `HEAPU8`; a length of 64 bits is passed as two halves, low and high.
 * Functions return 0, or -1 when they refuse.
 */
declare module 'libsodium' {
  type Pointer = number

  export interface Sodium {
    /** The whole memory. Another array after the memory has grown. */
    readonly HEAPU8: Uint8Array
    /** 0 when there is no memory left. */
    _malloc(bytes: number): Pointer

    _crypto_scalarmult(output: Pointer, secret: Pointer, publicKey: Pointer): number
    _crypto_scalarmult_base(output: Pointer, secret: Pointer): number

    _crypto_sign_seed_keypair(publicKey: Pointer, secretKey: Pointer, seed: Pointer): number
    _crypto_sign_detached(
      signature: Pointer,
      signatureLength: Pointer,
      message: Pointer,
      lengthLow: number,
      lengthHigh: number,
      secretKey: Pointer,
    ): number
    _crypto_sign_verify_detached(
      signature: Pointer,
      message: Pointer,
      lengthLow: number,
      lengthHigh: number,
      publicKey: Pointer,
    ): number

    _crypto_kem_mlkem768_seed_keypair(encapsulationKey: Pointer, decapsulationKey: Pointer, seed: Pointer): number
    _crypto_kem_mlkem768_enc_deterministic(
      ciphertext: Pointer,
      sharedSecret: Pointer,
      encapsulationKey: Pointer,
      randomness: Pointer,
    ): number
    _crypto_kem_mlkem768_dec(sharedSecret: Pointer, ciphertext: Pointer, decapsulationKey: Pointer): number

    readonly _crypto_aead_chacha20poly1305_ietf_encrypt: AeadEncrypt
    readonly _crypto_aead_chacha20poly1305_ietf_decrypt: AeadDecrypt
    readonly _crypto_aead_xchacha20poly1305_ietf_encrypt: AeadEncrypt
    readonly _crypto_aead_xchacha20poly1305_ietf_decrypt: AeadDecrypt

    /** SHA-512. */
    _crypto_hash(output: Pointer, data: Pointer, lengthLow: number, lengthHigh: number): number
    _crypto_hash_sha3256(output: Pointer, data: Pointer, lengthLow: number, lengthHigh: number): number

    _crypto_kdf_hkdf_sha256_statebytes(): number
    /** HMAC-SHA256 of `ikm` under the key `salt`. */
    _crypto_kdf_hkdf_sha256_extract(
      prk: Pointer,
      salt: Pointer,
      saltLength: number,
      ikm: Pointer,
      ikmLength: number,
    ): number
    _crypto_kdf_hkdf_sha256_extract_init(state: Pointer, salt: Pointer, saltLength: number): number
    _crypto_kdf_hkdf_sha256_extract_update(state: Pointer, ikm: Pointer, ikmLength: number): number
    _crypto_kdf_hkdf_sha256_extract_final(state: Pointer, prk: Pointer): number
    _crypto_kdf_hkdf_sha256_expand(
      output: Pointer,
      length: number,
      info: Pointer,
      infoLength: number,
      prk: Pointer,
    ): number
  }

  /** Output may be where the input is. */
  export type AeadEncrypt = (
    ciphertext: Pointer,
    ciphertextLength: Pointer,
    message: Pointer,
    lengthLow: number,
    lengthHigh: number,
    associatedData: Pointer,
    associatedDataLengthLow: number,
    associatedDataLengthHigh: number,
    unused: Pointer,
    nonce: Pointer,
    key: Pointer,
  ) => number

  /** Output may be where the input is. */
  export type AeadDecrypt = (
    message: Pointer,
    messageLength: Pointer,
    unused: Pointer,
    ciphertext: Pointer,
    lengthLow: number,
    lengthHigh: number,
    associatedData: Pointer,
    associatedDataLengthLow: number,
    associatedDataLengthHigh: number,
    nonce: Pointer,
    key: Pointer,
  ) => number

  /** Compiles the WebAssembly, which is inside the script. Rejects where that is not allowed. */
  const start: () => Promise<Sodium>
  export default start
}
