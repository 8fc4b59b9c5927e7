import { toHex } from '../../protocol/wire/bytes.ts'
import type { PeerPath, RelayAddress, RelayState } from '../../signaling/network.ts'

/** Everything that presence holds, as one tab tells it to another. */
export interface PresenceState {
  readonly paths: ReadonlyMap<string, PeerPath>
  readonly relays: ReadonlyMap<string, RelayState>
  readonly typing: ReadonlySet<string>
}

/** What is true only while it lasts and never stored: paths, relay states, who is typing. Keys are hex. */
export interface Presence {
  readonly state: PresenceState
  /** Takes over what another engine says. Returns the contacts whose path or typing is another now. */
  replace(state: PresenceState): string[]
  path(contact: string): PeerPath
  setPath(contact: string, path: PeerPath): boolean
  relay(relay: string): RelayState
  setRelay(relay: string, state: RelayState): void
  typing(contact: string): boolean
  setTyping(contact: string, active: boolean): boolean
}

export const nothingPresent: PresenceState = { paths: new Map(), relays: new Map(), typing: new Set() }

/** `onChange` is called after each change that this engine makes, not after `replace`. */
export const createPresence = (onChange: () => void = () => undefined): Presence => {
  let paths = new Map<string, PeerPath>()
  let relays = new Map<string, RelayState>()
  let typing = new Set<string>()
  const path = (contact: string): PeerPath => paths.get(contact) ?? 'none'
  return {
    get state() {
      return { paths, relays, typing }
    },
    replace: (state) => {
      const contacts = new Set([...paths.keys(), ...state.paths.keys(), ...typing, ...state.typing])
      const changed = [...contacts].filter(
        (contact) =>
          path(contact) !== (state.paths.get(contact) ?? 'none') || typing.has(contact) !== state.typing.has(contact),
      )
      paths = new Map(state.paths)
      relays = new Map(state.relays)
      typing = new Set(state.typing)
      return changed
    },
    path,
    setPath: (contact, next) => {
      if (path(contact) === next) return false
      paths.set(contact, next)
      onChange()
      return true
    },
    relay: (relay) => relays.get(relay) ?? 'connecting',
    setRelay: (relay, state) => {
      relays.set(relay, state)
      onChange()
    },
    typing: (contact) => typing.has(contact),
    setTyping: (contact, active) => {
      if (typing.has(contact) === active) return false
      if (active) typing.add(contact)
      else typing.delete(contact)
      onChange()
      return true
    },
  }
}

/** Relays that are known to be out of reach; they wake everything when they are back. */
export const isAway = ({ presence }: { readonly presence: Presence }, { relayKey }: RelayAddress): boolean => {
  const state = presence.relay(toHex(relayKey))
  return state !== 'connected' && state !== 'connecting'
}
