import { noble } from '../crypto/noble-provider.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import { verifyAccountLog } from '../identity/account-log.ts'
import type { DeviceSecrets } from '../identity/device.ts'
import type { PrekeySecret, SignedPublicKey } from '../identity/prekeys.ts'
import type { Random } from '../wire/brand.ts'
import { toHex } from '../wire/bytes.ts'
import { converse, deviceOf, type Cast, type PublicAccount, type Transcript } from './transcript.fixture.ts'
import type { ResponderPrekeys } from './responding-device.ts'
import type { LocalIdentity } from './session.ts'

/**
 * A program that forges conversations with the keys of one party alone. It is the production code with placeholders where
 * the other one's secrets belong, over a provider that answers for a placeholder what its owner would have computed: every
 * shared secret of the protocol can be had from either end, and the forger holds one end of each.
 */

/** Placeholders (hexadecimal) and the public keys that they stand for. */
type Placeholders = ReadonlyMap<string, Uint8Array>

/**
 * `held`: the forger's own X25519 secrets. What passes through the provider later, ephemeral and ratchet keys of both sides,
 * is the forger's as well.
 */
const forgingProvider = (placeholders: Placeholders, held: readonly Uint8Array[]): CryptoProvider => {
  /** X25519 secrets by their public keys, and KEM secrets by their ciphertexts. */
  const ends = new Map(held.map((secret) => [toHex(noble.x25519PublicKey(secret)), secret]))
  const encapsulated = new Map<string, Uint8Array>()
  return {
    ...noble,
    x25519PublicKey: (secret) => {
      const standsFor = placeholders.get(toHex(secret))
      if (standsFor !== undefined) return standsFor
      const key = noble.x25519PublicKey(secret)
      ends.set(toHex(key), secret.slice())
      return key
    },
    x25519: (secret, publicKey) => {
      const standsFor = placeholders.get(toHex(secret))
      if (standsFor === undefined) return noble.x25519(secret, publicKey)
      const otherEnd = ends.get(toHex(publicKey))
      if (otherEnd === undefined) throw new Error('the forger holds neither end of this agreement')
      return noble.x25519(otherEnd, standsFor)
    },
    mlkem768Keygen: (seed) => {
      const standsFor = placeholders.get(toHex(seed))
      return standsFor === undefined
        ? noble.mlkem768Keygen(seed)
        : { encapsulationKey: standsFor, decapsulationKey: seed.slice() }
    },
    mlkem768Encapsulate: (key, randomness) => {
      const made = noble.mlkem768Encapsulate(key, randomness)
      encapsulated.set(toHex(made.ciphertext), made.sharedSecret.slice())
      return made
    },
    mlkem768Decapsulate: (key, ciphertext) => {
      if (!placeholders.has(toHex(key))) return noble.mlkem768Decapsulate(key, ciphertext)
      const secret = encapsulated.get(toHex(ciphertext))
      if (secret === undefined) throw new Error('the forger did not encapsulate this')
      return secret.slice()
    },
    ed25519Sign: () => {
      throw new Error('the forger signs nothing')
    },
  }
}

/** The other one's device with a placeholder for each secret. */
const puppet = (
  account: PublicAccount,
  random: Random,
): { party: LocalIdentity & PublicAccount; placeholders: [string, Uint8Array][] } => {
  const record = deviceOf(account)
  const device: DeviceSecrets = { ...record, deviceSeed: random(32), identitySecret: random(32) }
  const { head } = verifyAccountLog(account.log)
  return { party: { ...account, head, device }, placeholders: [[toHex(device.identitySecret), record.identityKey]] }
}

/** What the forger and everybody else know of the conversation that never was. */
type Setting = Pick<Cast, 'bundle' | 'inviteSecret' | 'generation' | 'script'>

/** The responder alone: its secrets and the initiator's public log. */
export const forgeAsResponder = (
  responder: LocalIdentity & PublicAccount,
  prekeys: ResponderPrekeys,
  initiator: PublicAccount,
  setting: Setting,
  random: Random,
): Transcript => {
  const { party, placeholders } = puppet(initiator, random)
  const curveSecrets = [prekeys.signed.secret, ...(prekeys.oneTime ? [prekeys.oneTime.secret] : [])]
  const crypto = forgingProvider(new Map(placeholders), [responder.device.identitySecret, ...curveSecrets])
  return converse({ ...setting, initiator: party, responder, prekeys }, 'responder', { random, crypto })
}

/** The initiator alone: its secrets, the responder's public log and published bundle. */
export const forgeAsInitiator = (
  initiator: LocalIdentity & PublicAccount,
  responder: PublicAccount,
  setting: Setting,
  random: Random,
): Transcript => {
  const { party, placeholders } = puppet(responder, random)
  const stand = ({ id, kind, key, createdAtMs }: SignedPublicKey, length: number): PrekeySecret => {
    const secret = random(length)
    placeholders.push([toHex(secret), key])
    return { id, kind, secret, createdAtMs }
  }
  const { signedPrekey, oneTimePrekey, kemPrekey } = setting.bundle
  const prekeys = {
    signed: stand(signedPrekey, 32),
    ...(oneTimePrekey && { oneTime: stand(oneTimePrekey, 32) }),
    kem: stand(kemPrekey, 64),
  }
  const crypto = forgingProvider(new Map(placeholders), [initiator.device.identitySecret])
  return converse({ ...setting, initiator, responder: party, prekeys }, 'initiator', { random, crypto })
}
