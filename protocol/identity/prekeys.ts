import {
  mlkem768EncapsulationKeyBytes,
  mlkem768SeedBytes,
  x25519KeyBytes,
  type CryptoProvider,
} from '../crypto/provider.ts'
import { noble } from '../crypto/noble-provider.ts'
import type { Random } from '../wire/brand.ts'
import { equalBytes, wipe } from '../wire/bytes.ts'
import type { CborValue } from '../wire/cbor.ts'
import { boolean, bytes, bytesUpTo, nested, oneOf, optional, refine, struct, uint, versioned } from '../wire/codec.ts'
import { ProtocolError } from '../wire/error.ts'
import { ownVersions, unsaidVersions, versionRange, type VersionRange } from '../wire/versions.ts'
import type { DeviceRecord, DeviceSecrets } from './device.ts'
import { sign, verify } from './signature.ts'

const kinds = { signed: 0, 'one-time': 1, 'one-time-kem': 2, 'last-resort-kem': 3 } as const

/** `signed` and `one-time` are X25519 keys; the other two ML-KEM-768. */
export type PrekeyKind = keyof typeof kinds

/** Lengths in bytes. The two sorts of public keys can never be confused: 32 and 1,184. */
const curve = { publicKey: x25519KeyBytes, secret: x25519KeyBytes }
const kem = { publicKey: mlkem768EncapsulationKeyBytes, secret: mlkem768SeedBytes }
const lengths = { signed: curve, 'one-time': curve, 'one-time-kem': kem, 'last-resort-kem': kem } as const

const isKem = (kind: PrekeyKind): boolean => lengths[kind] === kem

/** Ids are 32 bits: a device that made 200 prekeys a day would need 58,000 years. */
const prekeyId = uint(0xffff_ffff)

const publicKeyShape = struct('prekey', {
  /** Unique per device, never repeated. */
  id: [0, prekeyId],
  kind: [1, oneOf<PrekeyKind>(kinds)],
  key: [2, bytesUpTo(kem.publicKey, curve.publicKey)],
  lastResort: [3, boolean],
  /** Unix milliseconds. */
  createdAtMs: [4, uint()],
  /** Ed25519 by the device key. */
  signature: [5, bytes(64)],
  /**
   * What versions the device speaks. Only with kind `signed`: every contact fetches one, it is renewed every 48 hours, and
   * an older one is refused, so nobody in between can turn a device back into an older one.
   */
  versions: [6, optional(nested(versionRange))],
})

/**
 * A prekey's public half as it is published: signed over account, device and every field here. `key` has the length of its
 * kind; `lastResort` is true for `last-resort-kem` and for nothing else.
 */
export const signedPublicKey = refine(publicKeyShape, ({ kind, key, lastResort, versions }) => {
  if (versions !== undefined && kind !== 'signed') {
    throw new ProtocolError('malformed', 'prekey: only a signed prekey tells the versions')
  }
  if (key.length !== lengths[kind].publicKey || lastResort !== (kind === 'last-resort-kem')) {
    throw new ProtocolError('malformed', 'prekey: key length or flag does not fit its kind')
  }
})
export type SignedPublicKey = ReturnType<typeof signedPublicKey.decode>

const bundleShape = struct('prekey-bundle', {
  accountId: [0, bytes(32)],
  deviceId: [1, bytes(16)],
  signedPrekey: [2, nested(signedPublicKey)],
  oneTimePrekey: [3, optional(nested(signedPublicKey))],
  /** A one-time KEM prekey, or the last-resort one. There is no bundle without: no downgrade. */
  kemPrekey: [4, nested(signedPublicKey)],
})

const checkSlots = ({ signedPrekey, oneTimePrekey, kemPrekey }: ReturnType<typeof bundleShape.decode>): void => {
  const oneTimeFits = oneTimePrekey === undefined || oneTimePrekey.kind === 'one-time'
  if (signedPrekey.kind !== 'signed' || !oneTimeFits || !isKem(kemPrekey.kind)) {
    throw new ProtocolError('malformed', 'prekey bundle: a key stands where another kind belongs')
  }
}

/** What an initiator fetches for one device. Each slot takes its own kind only. */
export const prekeyBundle = refine(bundleShape, checkSlots)
export type PrekeyBundle = ReturnType<typeof prekeyBundle.decode>

const secretShape = struct('prekey-secret', {
  id: [1, prekeyId],
  kind: [2, oneOf<PrekeyKind>(kinds)],
  /** X25519 private key (32 bytes) or ML-KEM seed (64 bytes), by kind. */
  secret: [3, bytesUpTo(kem.secret, curve.secret)],
  /** Unix milliseconds. */
  createdAtMs: [4, uint()],
  /** 32 bytes: the relay that hands out the public half; absent while none does. */
  relayKey: [5, optional(bytes(32))],
  /** Unix milliseconds: when a newer prekey of its kind took its place; retention counts from here. */
  replacedAtMs: [6, optional(uint())],
})

/** A prekey's private half, as the store keeps it. */
export type PrekeySecret = ReturnType<typeof secretShape.decode>

const prekeySecret = versioned(
  'prekey-secret',
  1,
  refine(secretShape, ({ kind, secret }) => {
    if (secret.length !== lengths[kind].secret)
      throw new ProtocolError('malformed', 'prekey secret: length does not fit its kind')
  }),
)

/** For the vault only: holds a private key in the clear. */
export const encodePrekeySecret = prekeySecret.encode

/** @throws ProtocolError `malformed`, `limit` or `version`. */
export const decodePrekeySecret = prekeySecret.decode

/** Whose prekey it is. `accountId` 32 bytes, `deviceId` 16, `deviceKey` 32 (Ed25519). */
export interface PrekeyOwner {
  readonly accountId: Uint8Array
  readonly deviceId: Uint8Array
  readonly deviceKey: Uint8Array
}

type Unsigned = Omit<SignedPublicKey, 'signature'>

const signedParts = (owner: Omit<PrekeyOwner, 'deviceKey'>, prekey: Unsigned): CborValue[] => [
  owner.accountId,
  owner.deviceId,
  kinds[prekey.kind],
  prekey.id,
  prekey.key,
  prekey.lastResort,
  prekey.createdAtMs,
  // Absent in what the first release signed.
  ...(prekey.versions === undefined ? [] : [prekey.versions.oldest, prekey.versions.newest]),
]

const publicHalf = (kind: PrekeyKind, secret: Uint8Array, crypto: CryptoProvider): Uint8Array => {
  if (!isKem(kind)) return crypto.x25519PublicKey(secret)
  const { encapsulationKey, decapsulationKey } = crypto.mlkem768Keygen(secret)
  wipe(decapsulationKey)
  return encapsulationKey
}

/**
 * `count` fresh prekeys of one kind with the ids `firstId`, `firstId + 1`, … The caller keeps the next free id and never
 * goes back. `relayKey` (32 bytes) marks the secrets as published at that relay. `versions` (@default ownVersions) go into
 * signed prekeys.
 * @throws ProtocolError `limit` when ids run over 32 bits.
 */
export const generatePrekeys = (
  {
    accountId,
    device,
    kind,
    firstId,
    count,
    now,
    random,
    relayKey,
    versions = ownVersions,
  }: {
    accountId: Uint8Array
    device: DeviceSecrets
    kind: PrekeyKind
    firstId: number
    count: number
    now: number
    random: Random
    relayKey?: Uint8Array
    versions?: VersionRange
  },
  crypto: CryptoProvider = noble,
): { published: SignedPublicKey[]; secrets: PrekeySecret[] } => {
  if (firstId + count > 2 ** 32) throw new ProtocolError('limit', 'prekey ids are used up')
  const published: SignedPublicKey[] = []
  const secrets: PrekeySecret[] = []
  for (let id = firstId; id < firstId + count; id++) {
    const secret = random(lengths[kind].secret)
    const key = publicHalf(kind, secret, crypto)
    const unsigned: Unsigned = {
      id,
      kind,
      key,
      lastResort: kind === 'last-resort-kem',
      createdAtMs: now,
      ...(kind === 'signed' ? { versions } : {}),
    }
    const parts = signedParts({ accountId, deviceId: device.deviceId }, unsigned)
    published.push({ ...unsigned, signature: sign(crypto, device.deviceSeed, 'Sotto_prekey', parts) })
    secrets.push({ id, kind, secret, createdAtMs: now, ...(relayKey === undefined ? {} : { relayKey }) })
  }
  return { published, secrets }
}

/** @throws ProtocolError `signature` unless the owner's device signed exactly this prekey for exactly this account and device. */
export const verifyPrekey = (prekey: SignedPublicKey, owner: PrekeyOwner, crypto: CryptoProvider = noble): void =>
  verify(crypto, prekey.signature, owner.deviceKey, 'Sotto_prekey', signedParts(owner, prekey))

/** The versions a device says it speaks. Authentic once the bundle is verified. */
export const bundleVersions = ({ signedPrekey }: PrekeyBundle): VersionRange => signedPrekey.versions ?? unsaidVersions

/**
 * Checks a fetched bundle against a device of a verified account log. A bundle whose KEM prekey is missing, misplaced or
 * badly signed is refused as a whole: there is no handshake without it.
 *
 * `seenSignedAtMs`: creation time of the newest signed prekey seen of this device; an older one is a replay.
 * @throws ProtocolError `signature` (another account or device, or a bad signature), `malformed` (wrong kind or length),
 * `conflict` (older than one already seen).
 */
export const verifyBundle = (
  bundle: PrekeyBundle,
  accountId: Uint8Array,
  device: DeviceRecord,
  { seenSignedAtMs = 0, crypto = noble }: { seenSignedAtMs?: number; crypto?: CryptoProvider } = {},
): void => {
  if (!equalBytes(bundle.accountId, accountId) || !equalBytes(bundle.deviceId, device.deviceId)) {
    throw new ProtocolError('signature', 'prekey bundle: belongs to another account or device')
  }
  // A bundle need not have come through the decoder, which checks the same.
  prekeyBundle.toMap(bundle)
  if (bundle.signedPrekey.createdAtMs < seenSignedAtMs) {
    throw new ProtocolError('conflict', 'prekey bundle: its signed prekey is older than one already seen')
  }
  const owner = { accountId, ...device }
  verifyPrekey(bundle.signedPrekey, owner, crypto)
  verifyPrekey(bundle.kemPrekey, owner, crypto)
  if (bundle.oneTimePrekey !== undefined) verifyPrekey(bundle.oneTimePrekey, owner, crypto)
}
