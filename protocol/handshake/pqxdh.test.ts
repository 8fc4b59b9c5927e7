import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { profile } from '../crypto/profile.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import type { Random } from '../wire/brand.ts'
import { concatBytes, encodeUtf8 } from '../wire/bytes.ts'
import { encodeCanonical, type CborValue } from '../wire/cbor.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { refusal, refusalInFull } from '../wire/refusal.fixture.ts'
import { handshakeMessage, initiatorIdentity, type InitiatorIdentity } from './handshake-message.ts'
import { initiateHandshake, respondHandshake, type InitiatorSecrets, type RespondingDevice } from './pqxdh.ts'

const context = { crypto: noble, profile }
const random = seededRandom(1)
const curveKey = (secret: Uint8Array): Uint8Array => noble.x25519PublicKey(secret)
const party = () => {
  const identitySecret = random(32)
  return { accountId: random(32), deviceId: random(16), identitySecret, identityKey: curveKey(identitySecret) }
}

const alice: InitiatorSecrets = { ...party(), head: random(32), generation: 7 }
const { identitySecret, ...bobsParty } = party()
const [signedPrekeySecret, oneTimePrekeySecret] = [random(32), random(32)]
const { encapsulationKey, decapsulationKey } = noble.mlkem768Keygen(random(64))
const bob: RespondingDevice = {
  ...bobsParty,
  secrets: { identitySecret, signedPrekeySecret, oneTimePrekeySecret },
  signedPrekey: { id: 1, key: curveKey(signedPrekeySecret), lastResort: false },
  oneTimePrekey: { id: 2, key: curveKey(oneTimePrekeySecret), lastResort: false },
  kemPrekey: { id: 3, key: encapsulationKey, lastResort: true },
  decapsulationKey,
}
const { oneTimePrekey: _, ...rest } = bob
const bobWithoutOneTime: RespondingDevice = { ...rest, secrets: { identitySecret, signedPrekeySecret } }

const respond = (message: Uint8Array, device = bob, crypto: CryptoProvider = noble) =>
  respondHandshake({ crypto, profile }, device, message)

/** `spec/handshake.md` written a second time, from the initiator's ephemeral secret and ML-KEM randomness. */
const bySpecification = (
  initiator: InitiatorSecrets,
  responder: RespondingDevice,
  ephemeral: Uint8Array,
  m: Uint8Array,
) => {
  const { signedPrekey, oneTimePrekey, kemPrekey } = responder
  const { ciphertext, sharedSecret } = noble.mlkem768Encapsulate(kemPrekey.key, m)
  const EK = curveKey(ephemeral)
  const oneTime = oneTimePrekey === undefined ? null : [oneTimePrekey.id, oneTimePrekey.key, false]
  const T = noble.sha256(
    encodeCanonical([
      ...['Sotto/2', responder.accountId, responder.deviceId, responder.identityKey],
      ...[[signedPrekey.id, signedPrekey.key, false], oneTime, [kemPrekey.id, kemPrekey.key, kemPrekey.lastResort]],
      ...[EK, ciphertext],
    ]),
  )
  const curveKeys = [responder.identityKey, signedPrekey.key, ...(oneTimePrekey ? [oneTimePrekey.key] : [])]
  const shared = [...curveKeys.map((key) => noble.x25519(ephemeral, key)), sharedSecret]
  const F = new Uint8Array(32).fill(0xff)
  const derive = (secrets: Uint8Array[], label: string, ...info: Uint8Array[]) =>
    noble.hkdfSha256(concatBytes(F, ...secrets), new Uint8Array(0), concatBytes(encodeUtf8(label), T, ...info), 32)
  const identityKey = derive(shared, 'Sotto_PQXDH_identity')
  const seal = (identity: InitiatorIdentity) =>
    noble.chacha20poly1305Seal(identityKey, new Uint8Array(12), initiatorIdentity.encode(identity), T)
  const { accountId, deviceId, identityKey: IK } = initiator
  const DH1 = noble.x25519(initiator.identitySecret, signedPrekey.key)
  const SK = derive([DH1, ...shared], 'Sotto_PQXDH_X25519_SHA-256_ML-KEM-768', accountId, deviceId, IK)
  const message = (identity: InitiatorIdentity = initiator): Uint8Array => {
    const fields = new Map<number, CborValue>([[0, signedPrekey.id]])
    if (oneTimePrekey) fields.set(1, oneTimePrekey.id)
    fields.set(2, kemPrekey.id).set(3, EK).set(4, ciphertext).set(5, seal(identity))
    return encodeCanonical(fields)
  }
  const tag = noble.sha256(concatBytes(encodeUtf8('Sotto_handshake_tag'), message()))
  const sides = [IK, accountId, deviceId, responder.identityKey, responder.accountId, responder.deviceId]
  return { message, SK, tag, AD: noble.sha256(encodeCanonical(['Sotto/2', ...sides, T, tag])) }
}

describe.each([
  ['with', bob],
  ['without', bobWithoutOneTime],
])('%s a one-time prekey', (_name, device) => {
  const handed: Uint8Array[] = []
  const noting: Random = (length) => {
    const bytes = random(length)
    handed.push(bytes.slice())
    return bytes
  }
  const result = initiateHandshake(context, alice, device, noting)
  const [ephemeral, m] = handed as [Uint8Array, Uint8Array]
  const expected = bySpecification(alice, device, ephemeral, m)

  test('the initiator sends and derives what the specification says', () => {
    expect(handed.map(({ length }) => length)).toEqual([32, 32])
    const { message, SK, tag, AD } = expected
    expect(result).toEqual({ message: message(), secret: SK, tag, associatedData: AD })
  })

  test('the responder derives the same, and learns who calls', () => {
    const { SK, tag, AD } = expected
    const { accountId, head, deviceId, identityKey, generation } = alice
    expect(respond(result.message, device)).toEqual({
      ...{ secret: SK, tag, associatedData: AD, ephemeralKey: curveKey(ephemeral) },
      initiator: { accountId, head, deviceId, identityKey, generation },
    })
  })

  test('neither side goes on with a device that is its own', () => {
    const own = 'key: a device has no session with itself'
    for (const change of [{ identityKey: device.identityKey }, { deviceId: device.deviceId }]) {
      expect(refusalInFull(() => initiateHandshake(context, { ...alice, ...change }, device, random))).toBe(own)
      expect(refusalInFull(() => respond(expected.message({ ...alice, ...change }), device))).toBe(own)
    }
    expect(refusal(() => respond(expected.message(), device))).toBe('accepted')
  })
})

describe('the responder refuses', () => {
  const { message } = initiateHandshake(context, alice, bob, random)
  const other = random(32)
  const secrets = bob.secrets

  test.each<[string, Partial<RespondingDevice>]>([
    ['signed prekey', { signedPrekey: { ...bob.signedPrekey, id: 9 } }],
    ['one-time prekey', { oneTimePrekey: { ...bob.signedPrekey, id: 9 } }],
    ['KEM prekey', { kemPrekey: { ...bob.kemPrekey, id: 9 } }],
  ])('another %s than the handshake names', (_name, change) => {
    const others = 'unknown-prekey: the handshake names other prekeys than these'
    expect(refusalInFull(() => respond(message, { ...bob, ...change }))).toBe(others)
  })

  test('a one-time prekey that is not there, or not named', () => {
    const without = initiateHandshake(context, alice, bobWithoutOneTime, random).message
    expect(refusal(() => respond(message, bobWithoutOneTime))).toBe('unknown-prekey')
    expect(refusal(() => respond(without, bob))).toBe('unknown-prekey')
    expect(refusal(() => respond(without, bobWithoutOneTime))).toBe('accepted')
  })

  test.each<[string, Partial<RespondingDevice>]>([
    ['account', { accountId: other }],
    ['device', { deviceId: other.slice(16) }],
    ['identity key', { identityKey: other }],
    ['signed prekey', { signedPrekey: { ...bob.signedPrekey, key: other } }],
    ['one-time prekey', { oneTimePrekey: { id: 2, key: other, lastResort: false } }],
    ['KEM prekey', { kemPrekey: { ...bob.kemPrekey, key: other } }],
    ['last-resort flag', { kemPrekey: { ...bob.kemPrekey, lastResort: false } }],
    ['identity secret', { secrets: { ...secrets, identitySecret: other } }],
    ['signed prekey secret', { secrets: { ...secrets, signedPrekeySecret: other } }],
    ['one-time prekey secret', { secrets: { ...secrets, oneTimePrekeySecret: other } }],
    ['KEM secret', { decapsulationKey: noble.mlkem768Keygen(random(64)).decapsulationKey }],
  ])('with another %s than the initiator meant', (_name, change) => {
    expect(refusal(() => respond(message, { ...bob, ...change }))).toBe('authentication')
  })

  test('anything that is not a handshake', () => {
    expect(refusalInFull(() => respond(encodeCanonical([])))).toBe('malformed: handshake: expected a map')
    expect(refusal(() => respond(message.subarray(1)))).toBe('malformed')
  })
})

describe('the structs', () => {
  const fields = handshakeMessage.decode(initiateHandshake(context, alice, bob, random).message)
  const sealed = (length: number): string =>
    refusalInFull(() => handshakeMessage.encode({ ...fields, sealedIdentity: new Uint8Array(length) }))

  test('a sealed identity has 16 to 192 bytes', () => {
    expect([sealed(16), sealed(192)]).toEqual(['accepted', 'accepted'])
    expect(sealed(15)).toBe('malformed: handshake.sealedIdentity: expected at least 16 bytes')
    expect(sealed(193)).toBe('limit: handshake.sealedIdentity: over the limit of 192 bytes')
  })

  test('an identity goes by its name', () => {
    expect(refusalInFull(() => initiatorIdentity.fromMap([]))).toBe('malformed: initiator-identity: expected a map')
  })
})

describe('secrets that served are wiped', () => {
  const kept: Uint8Array[] = []
  const keep = <T extends Uint8Array>(bytes: T): T => {
    kept.push(bytes)
    return bytes
  }
  /** Notes every secret on its way: shared secrets, the key of the identity, and what goes into a derivation. */
  const watching: CryptoProvider = {
    ...noble,
    x25519: (secret, key) => keep(noble.x25519(secret, key)),
    mlkem768Encapsulate: (key, m) => {
      const { ciphertext, sharedSecret } = noble.mlkem768Encapsulate(key, m)
      return { ciphertext, sharedSecret: keep(sharedSecret) }
    },
    mlkem768Decapsulate: (key, ciphertext) => keep(noble.mlkem768Decapsulate(key, ciphertext)),
    hkdfSha256: (material, salt, info, length) => noble.hkdfSha256(keep(material), salt, info, length),
    chacha20poly1305Seal: (key, ...others) => noble.chacha20poly1305Seal(keep(key), ...others),
    chacha20poly1305Open: (key, ...others) => noble.chacha20poly1305Open(keep(key), ...others),
  }
  const left = (run: () => unknown): number => {
    kept.length = 0
    run()
    expect(kept.length).toBeGreaterThan(5)
    return kept.filter((bytes) => bytes.some((byte) => byte !== 0)).length
  }
  const { message } = initiateHandshake(context, alice, bob, random)

  test('by the initiator, with the randomness it was handed', () => {
    const noting: Random = (length) => keep(random(length))
    expect(left(() => initiateHandshake({ crypto: watching, profile }, alice, bob, noting))).toBe(0)
  })

  test('by the responder, also when it refuses', () => {
    expect(left(() => respond(message, bob, watching))).toBe(0)
    const stranger = { ...bob, accountId: random(32) }
    expect(left(() => expect(refusal(() => respond(message, stranger, watching))).toBe('authentication'))).toBe(0)
  })
})
