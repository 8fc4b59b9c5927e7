import type { CryptoProvider } from '../crypto/provider.ts'
import { noble } from '../crypto/noble-provider.ts'
import type { Random } from '../wire/brand.ts'
import { concatBytes, encodeUtf8 } from '../wire/bytes.ts'
import { bytes, struct, versioned } from '../wire/codec.ts'

/** The keys of this device, with their private halves. */
export interface DeviceSecrets {
  /** 32 bytes: Ed25519 seed (RFC 8032) of the device key, which is also the libp2p peer key of the home host. */
  readonly deviceSeed: Uint8Array
  /** 32 bytes: Ed25519 public key. */
  readonly deviceKey: Uint8Array
  /** 32 bytes: X25519 private key (RFC 7748). */
  readonly identitySecret: Uint8Array
  /** 32 bytes: X25519 public key. */
  readonly identityKey: Uint8Array
  /** 16 bytes, see `deviceIdOf`. */
  readonly deviceId: Uint8Array
}

/** A device as others see it, from a verified account log. */
export interface DeviceRecord {
  /** 16 bytes, see `deviceIdOf`. */
  readonly deviceId: Uint8Array
  /** 32 bytes: Ed25519. */
  readonly deviceKey: Uint8Array
  /** 32 bytes: X25519. */
  readonly identityKey: Uint8Array
}

/** 16 bytes: SHA-256("Sotto_device_id" || device key), truncated. Computed, never sent beside the key. */
export const deviceIdOf = (deviceKey: Uint8Array, crypto: CryptoProvider = noble): Uint8Array =>
  crypto.sha256(concatBytes(encodeUtf8('Sotto_device_id'), deviceKey)).slice(0, 16)

const fromSeeds = (deviceSeed: Uint8Array, identitySecret: Uint8Array, crypto: CryptoProvider): DeviceSecrets => {
  const deviceKey = crypto.ed25519PublicKey(deviceSeed)
  const identityKey = crypto.x25519PublicKey(identitySecret)
  return { deviceSeed, deviceKey, identitySecret, identityKey, deviceId: deviceIdOf(deviceKey, crypto) }
}

/** Fresh keys: two times 32 random bytes. */
export const createDevice = (random: Random, crypto: CryptoProvider = noble): DeviceSecrets =>
  fromSeeds(random(32), random(32), crypto)

const secrets = versioned(
  'device-secrets',
  1,
  struct('device-secrets', { deviceSeed: [1, bytes(32)], identitySecret: [2, bytes(32)] }),
)

/** For the vault only: holds private keys in the clear. */
export const encodeDeviceSecrets = ({ deviceSeed, identitySecret }: DeviceSecrets): Uint8Array =>
  secrets.encode({ deviceSeed, identitySecret })

/**
 * Public keys are computed, not stored: signing with a seed beside somebody else's public key would give the seed away.
 * @throws ProtocolError `malformed` or `version`.
 */
export const decodeDeviceSecrets = (data: Uint8Array, crypto: CryptoProvider = noble): DeviceSecrets => {
  const { deviceSeed, identitySecret } = secrets.decode(data)
  return fromSeeds(deviceSeed, identitySecret, crypto)
}
