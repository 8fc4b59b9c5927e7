import type { Sodium } from 'libsodium'
import { requireLength } from '../../protocol/crypto/checks.ts'
import {
  mlkem768CiphertextBytes,
  mlkem768DecapsulationKeyBytes,
  mlkem768EncapsulationKeyBytes,
  mlkem768SeedBytes,
  type CryptoProvider,
} from '../../protocol/crypto/provider.ts'
import { equalBytes } from '../../protocol/wire/bytes.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import type { Scratch } from './scratch.ts'

type Kem = Pick<CryptoProvider, 'mlkem768Keygen' | 'mlkem768Encapsulate' | 'mlkem768Decapsulate'>

/** A decapsulation key is dk of K-PKE (1,152) || encapsulation key || SHA3-256 of that (32) || z (32): FIPS 203 algorithm 16. */
const encapsulationKeyAt = 1_152
const hashAt = encapsulationKeyAt + mlkem768EncapsulationKeyBytes

/** ML-KEM-768. */
export const sodiumKem = (sodium: Sodium, scratch: Scratch): Kem => ({
  mlkem768Keygen(seed) {
    requireLength(seed, mlkem768SeedBytes, 'ML-KEM seed')
    return scratch.use(() => {
      const encapsulationKey = scratch.take(mlkem768EncapsulationKeyBytes)
      const decapsulationKey = scratch.take(mlkem768DecapsulationKeyBytes)
      sodium._crypto_kem_mlkem768_seed_keypair(encapsulationKey, decapsulationKey, scratch.put(seed))
      return {
        encapsulationKey: scratch.read(encapsulationKey, mlkem768EncapsulationKeyBytes),
        decapsulationKey: scratch.read(decapsulationKey, mlkem768DecapsulationKeyBytes),
      }
    })
  },
  mlkem768Encapsulate(encapsulationKey, randomness) {
    requireLength(randomness, 32, 'ML-KEM randomness')
    requireLength(encapsulationKey, mlkem768EncapsulationKeyBytes, 'ML-KEM encapsulation key')
    return scratch.use(() => {
      const [ciphertext, sharedSecret] = [scratch.take(mlkem768CiphertextBytes), scratch.take(32)]
      const key = scratch.put(encapsulationKey)
      // The modulus check of FIPS 203 section 7.2 is in there.
      if (sodium._crypto_kem_mlkem768_enc_deterministic(ciphertext, sharedSecret, key, scratch.put(randomness)) !== 0) {
        throw new ProtocolError('key', 'ML-KEM encapsulation key is not acceptable')
      }
      return {
        ciphertext: scratch.read(ciphertext, mlkem768CiphertextBytes),
        sharedSecret: scratch.read(sharedSecret, 32),
      }
    })
  },
  mlkem768Decapsulate(decapsulationKey, ciphertext) {
    requireLength(decapsulationKey, mlkem768DecapsulationKeyBytes, 'ML-KEM decapsulation key')
    requireLength(ciphertext, mlkem768CiphertextBytes, 'ML-KEM ciphertext')
    return scratch.use(() => {
      const [sharedSecret, hash, key] = [scratch.take(32), scratch.take(32), scratch.put(decapsulationKey)]
      // The hash check of FIPS 203 section 7.3, which libsodium leaves out.
      sodium._crypto_hash_sha3256(hash, key + encapsulationKeyAt, mlkem768EncapsulationKeyBytes, 0)
      if (!equalBytes(scratch.read(hash, 32), scratch.read(key + hashAt, 32))) {
        throw new ProtocolError('key', 'ML-KEM decapsulation key is not acceptable')
      }
      sodium._crypto_kem_mlkem768_dec(sharedSecret, scratch.put(ciphertext), key)
      return scratch.read(sharedSecret, 32)
    })
  },
})
