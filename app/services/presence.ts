import { toHex } from '../../protocol/wire/bytes.ts'
import type { PeerPath, RelayAddress, RelayState } from '../../signaling/network.ts'

/** What is true only while it lasts and never stored: paths, relay states, who is typing. Keys are hex. */
export interface Presence {
  path(contact: string): PeerPath
  setPath(contact: string, path: PeerPath): boolean
  relay(relay: string): RelayState
  setRelay(relay: string, state: RelayState): void
  typing(contact: string): boolean
  setTyping(contact: string, active: boolean): boolean
}

export const createPresence = (): Presence => {
  const paths = new Map<string, PeerPath>()
  const relays = new Map<string, RelayState>()
  const typing = new Set<string>()
  const path = (contact: string): PeerPath => paths.get(contact) ?? 'none'
  return {
    path,
    setPath: (contact, next) => {
      if (path(contact) === next) return false
      paths.set(contact, next)
      return true
    },
    relay: (relay) => relays.get(relay) ?? 'connecting',
    setRelay: (relay, state) => void relays.set(relay, state),
    typing: (contact) => typing.has(contact),
    setTyping: (contact, active) => {
      if (typing.has(contact) === active) return false
      if (active) typing.add(contact)
      else typing.delete(contact)
      return true
    },
  }
}

/** Relays that are known to be out of reach; they wake everything when they are back. */
export const isAway = ({ presence }: { readonly presence: Presence }, { relayKey }: RelayAddress): boolean => {
  const state = presence.relay(toHex(relayKey))
  return state !== 'connected' && state !== 'connecting'
}
