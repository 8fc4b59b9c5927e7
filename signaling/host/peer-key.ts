import { generateKeyPair, generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'

/** Ed25519 public keys are 32 bytes (RFC 8032 section 5.1.5). */
const publicKeyBytes = 32

/** The libp2p private key of a device. `deviceSeed`: 32 bytes, the Ed25519 seed. */
export const privateKeyOfSeed = (deviceSeed: Uint8Array): Promise<PrivateKey> =>
  generateKeyPairFromSeed('Ed25519', deviceSeed)

/** A key that belongs to nobody. */
export const throwawayKey = (): Promise<PrivateKey> => generateKeyPair('Ed25519')

/** The libp2p peer id of a device or relay, from its raw Ed25519 public key. @throws RangeError unless it is 32 bytes. */
export const peerIdOfKey = (key: Uint8Array): PeerId => {
  if (key.length !== publicKeyBytes) throw new RangeError('a device or relay key has 32 bytes')
  return peerIdFromPublicKey(publicKeyFromRaw(key))
}

/** The raw Ed25519 public key (32 bytes) of a peer id; undefined when the peer has another kind of key. */
export const keyOfPeerId = (peerId: PeerId): Uint8Array | undefined =>
  peerId.type === 'Ed25519' && peerId.publicKey !== undefined ? peerId.publicKey.raw : undefined
