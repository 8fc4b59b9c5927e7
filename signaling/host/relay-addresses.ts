import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import type { RelayAddress } from '../network.ts'
import { peerIdOfKey } from './peer-key.ts'

/** The address without a trailing `/p2p/<id>`, and that id. */
const splitPeer = (address: Multiaddr): { plain: Multiaddr; peer: string | undefined } => {
  const last = address.getComponents().at(-1)
  if (last?.name !== 'p2p' || last.value === undefined) return { plain: address, peer: undefined }
  return { plain: address.decapsulate(`/p2p/${last.value}`), peer: last.value }
}

const parse = (text: string): Multiaddr | undefined => {
  try {
    const address = multiaddr(text)
    // Relays are reached themselves, never through another relay.
    return address.getComponents().some(({ name }) => name === 'p2p-circuit') ? undefined : address
  } catch {
    return undefined
  }
}

/** Where a relay can be dialled, each with its peer id; addresses that are unreadable or of another peer are left out. */
export const relayMultiaddrs = ({ relayKey, addresses }: RelayAddress): Multiaddr[] => {
  const id = peerIdOfKey(relayKey).toString()
  return addresses.flatMap((text) => {
    const address = parse(text)
    if (address === undefined) return []
    const { plain, peer } = splitPeer(address)
    return peer === undefined || peer === id ? [plain.encapsulate(`/p2p/${id}`)] : []
  })
}

/** Addresses as a person or a page gave them, with or without peer id; unreadable ones are left out. */
export const looseMultiaddrs = (addresses: readonly string[]): Multiaddr[] =>
  addresses.flatMap((text) => {
    const address = parse(text)
    return address === undefined ? [] : [address]
  })

/** Where the relay on `relayAddress` introduces us to `peerId` (text), for a direct WebRTC connection. */
export const directAddress = (relayAddress: Multiaddr, relayKey: Uint8Array, peerId: string): Multiaddr =>
  splitPeer(relayAddress)
    .plain.encapsulate(`/p2p/${peerIdOfKey(relayKey).toString()}`)
    .encapsulate(`/p2p-circuit/webrtc/p2p/${peerId}`)
