import { ed25519 } from '@noble/curves/ed25519.js'
import { expect } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import {
  deriveHandshakeKey,
  identityAgreement,
  initiatorAgreement,
  responderAgreement,
} from '../handshake/agreement.ts'
import type { HeaderKey, RatchetKey, RatchetSecret, RootKey } from '../ratchet/keys.ts'
import { initiatorState, responderState } from '../ratchet/state.ts'
import type { Random } from '../wire/brand.ts'
import { concatBytes, encodeUtf8, toHex } from '../wire/bytes.ts'
import { field, PythonParty, SottoParty, type Party } from './party.fixture.ts'
import type { PythonPeer } from './python-peer.fixture.ts'

/** The driver's KDF input for X3DH. */
const info = encodeUtf8('SecVectors_X3DH')

/** What the driver signs and binds: a byte for the sort of key, and the key. */
const encodeX25519 = (key: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(5), key)
const encodeEd25519 = (key: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(6), key)

/**
 * An Ed25519 key pair that also agrees: its X25519 secret is the first half of the seed's SHA-512 (RFC 8032 section 5.1.5).
 * Sotto itself keeps the two keys apart; python-x3dh wants one for both.
 */
const makeIdentity = (random: Random) => {
  const seed = random(32)
  return { seed, key: noble.ed25519PublicKey(seed), secret: noble.sha512(seed).slice(0, 32) }
}

const makePair = (random: Random) => {
  const secret = random(32)
  return { secret, key: noble.x25519PublicKey(secret) }
}

/** Without header encryption header keys mean nothing; any two serve. */
const initialKeys = (rootKey: Uint8Array) => ({
  rootKey: rootKey as RootKey,
  initiatorHeaderKey: new Uint8Array(32).fill(1) as HeaderKey,
  responderHeaderKey: new Uint8Array(32).fill(2) as HeaderKey,
})

export interface Introduction {
  readonly peer: PythonPeer
  /** Number of the session in the Python process. */
  readonly session: number
  readonly random: Random
  readonly hasOneTimePrekey: boolean
}

export interface Introduced {
  readonly initiator: Party
  readonly responder: Party
}

/** Sotto calls python-x3dh. Both must come to the same secret and associated data. */
export const sottoCallsPython = async ({
  peer,
  session,
  random,
  hasOneTimePrekey,
}: Introduction): Promise<Introduced> => {
  const bundle = await peer.request({ op: 'start', session, seed: toHex(random(32)), oneTime: hasOneTimePrekey })
  const [own, ephemeral] = [makeIdentity(random), makePair(random)]
  const [remoteIdentity, signedPrekey] = [field(bundle, 'identityKey'), field(bundle, 'signedPrekey')]
  const oneTimePrekey = hasOneTimePrekey ? field(bundle, 'oneTimePrekey') : undefined
  const isSigned = noble.ed25519Verify(field(bundle, 'signature'), encodeX25519(signedPrekey), remoteIdentity)
  expect(isSigned, 'signature of the signed prekey').toBe(true)

  const identityKey = ed25519.utils.toMontgomery(remoteIdentity)
  const secret = deriveHandshakeKey(
    noble,
    [
      identityAgreement(noble, own.secret, signedPrekey),
      ...initiatorAgreement(noble, ephemeral.secret, {
        identityKey,
        signedPrekey,
        ...(oneTimePrekey && { oneTimePrekey }),
      }),
    ],
    info,
  )
  const answer = await peer.request({
    op: 'respond',
    session,
    identityKey: toHex(own.key),
    ephemeralKey: toHex(ephemeral.key),
    signedPrekey: toHex(signedPrekey),
    oneTimePrekey: oneTimePrekey === undefined ? null : toHex(oneTimePrekey),
  })
  const associatedData = concatBytes(encodeEd25519(own.key), encodeEd25519(remoteIdentity))
  expect([field(answer, 'secret'), field(answer, 'associatedData')]).toEqual([secret, associatedData])
  const state = initiatorState(initialKeys(secret), signedPrekey as RatchetKey, 0)
  return { initiator: new SottoParty(state, associatedData, random), responder: new PythonParty(peer, session) }
}

/** python-x3dh calls Sotto. Both must come to the same secret and associated data. */
export const pythonCallsSotto = async ({
  peer,
  session,
  random,
  hasOneTimePrekey,
}: Introduction): Promise<Introduced> => {
  await peer.request({ op: 'start', session, seed: toHex(random(32)), oneTime: false })
  const [own, signed] = [makeIdentity(random), makePair(random)]
  const oneTime = hasOneTimePrekey ? makePair(random) : undefined
  const answer = await peer.request({
    op: 'initiate',
    session,
    identityKey: toHex(own.key),
    signedPrekey: toHex(signed.key),
    signature: toHex(noble.ed25519Sign(own.seed, encodeX25519(signed.key))),
    oneTimePrekey: oneTime === undefined ? null : toHex(oneTime.key),
  })

  const remoteIdentity = field(answer, 'identityKey')
  const secrets = {
    identitySecret: own.secret,
    signedPrekeySecret: signed.secret,
    ...(oneTime && { oneTimePrekeySecret: oneTime.secret }),
  }
  const secret = deriveHandshakeKey(
    noble,
    [
      identityAgreement(noble, signed.secret, ed25519.utils.toMontgomery(remoteIdentity)),
      ...responderAgreement(noble, secrets, field(answer, 'ephemeralKey')),
    ],
    info,
  )
  const associatedData = concatBytes(encodeEd25519(remoteIdentity), encodeEd25519(own.key))
  expect([field(answer, 'secret'), field(answer, 'associatedData')]).toEqual([secret, associatedData])
  const prekey = { secret: signed.secret as RatchetSecret, key: signed.key as RatchetKey }
  const state = responderState(initialKeys(secret), prekey, 0)
  return { initiator: new PythonParty(peer, session), responder: new SottoParty(state, associatedData, random) }
}
