import { generateKeyPair, generateKeyPairFromSeed, privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { concatBytes, fromBase64Url, fromHex } from '../../protocol/wire/bytes.ts'

/** Ed25519 public keys are 32 bytes (RFC 8032 section 5.1.5). */
const publicKeyBytes = 32

/** What stands before the 32 bytes of an Ed25519 seed in PKCS #8 (RFC 8410 section 7). */
const pkcs8Prefix = fromHex('302e020100300506032b657004220420')

const algorithm = { name: 'Ed25519' }

/**
 * The key that `make` gives, as libp2p wants it; undefined where the platform does not know Ed25519. Making one in JavaScript holds a
 * page up for 200 ms the first time, because the tables of the curve are computed for it.
 */
const byPlatform = async (make: () => Promise<CryptoKey>): Promise<PrivateKey | undefined> => {
  try {
    const { d = '', x = '' } = await crypto.subtle.exportKey('jwk', await make())
    return privateKeyFromRaw(concatBytes(fromBase64Url(d), fromBase64Url(x)))
  } catch (cause) {
    if (cause instanceof DOMException) return undefined
    throw cause
  }
}

/** The libp2p private key of a device. `deviceSeed`: 32 bytes, the Ed25519 seed. */
export const privateKeyOfSeed = async (deviceSeed: Uint8Array): Promise<PrivateKey> =>
  (await byPlatform(() =>
    crypto.subtle.importKey('pkcs8', new Uint8Array(concatBytes(pkcs8Prefix, deviceSeed)), algorithm, true, ['sign']),
  )) ?? generateKeyPairFromSeed('Ed25519', deviceSeed)

/** A key that belongs to nobody. */
export const throwawayKey = async (): Promise<PrivateKey> =>
  (await byPlatform(async () => {
    const pair = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair
    return pair.privateKey
  })) ?? generateKeyPair('Ed25519')

/** The libp2p peer id of a device or relay, from its raw Ed25519 public key. @throws RangeError unless it is 32 bytes. */
export const peerIdOfKey = (key: Uint8Array): PeerId => {
  if (key.length !== publicKeyBytes) throw new RangeError('a device or relay key has 32 bytes')
  return peerIdFromPublicKey(publicKeyFromRaw(key))
}

/** The raw Ed25519 public key (32 bytes) of a peer id; undefined when the peer has another kind of key. */
export const keyOfPeerId = (peerId: PeerId): Uint8Array | undefined =>
  peerId.type === 'Ed25519' && peerId.publicKey !== undefined ? peerId.publicKey.raw : undefined
