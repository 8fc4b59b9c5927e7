import { toHex } from '../../protocol/wire/bytes.ts'
import type { DialOutcome, NetworkFailure, PeerPath, RelayAddress, RelayState } from '../../signaling/network.ts'
import type { SessionObstacle, WaitingReason } from './waiting-reason.ts'

/** A relay's state, and since when (Unix milliseconds, of this run of the leading engine). */
interface RelayPresence {
  readonly state: RelayState
  readonly sinceMs: number
}

/** How the last attempt at a direct link ended, and when (Unix milliseconds). */
interface DialReport {
  readonly outcome: DialOutcome
  readonly atMs: number
}

/** Everything that presence holds, as one tab tells it to another. Keys are hex: contacts, and for `relays` relays. */
export interface PresenceState {
  readonly paths: ReadonlyMap<string, PeerPath>
  readonly relays: ReadonlyMap<string, RelayPresence>
  readonly typing: ReadonlyMap<string, true>
  /** Contacts who tell over a link that they are here, or away. */
  readonly here: ReadonlyMap<string, 'online' | 'away'>
  readonly dials: ReadonlyMap<string, DialReport>
  /** Why the last envelope for a contact did not leave; gone with the next one that does. */
  readonly sending: ReadonlyMap<string, NetworkFailure['reason']>
  /** Why no session could be begun the last time; gone when one is. */
  readonly sessions: ReadonlyMap<string, SessionObstacle>
  /** What a message has been waiting for long enough to say so (`waiting.ts`). */
  readonly waiting: ReadonlyMap<string, WaitingReason>
}

/** One kind of fact, by contact or relay. */
interface Facts<T> {
  get(key: string): T | undefined
  /** Undefined forgets. False: it was so already. */
  set(key: string, value: T | undefined): boolean
}

/**
 * What is true only while it lasts and never stored: paths, relay states, who is typing, what stands in the way. Known to the
 * leading engine, and told by it to the others.
 */
export interface Presence {
  readonly state: PresenceState
  /** Takes over what another engine says. Returns the contacts whose conversation looks different now. */
  replace(state: PresenceState): string[]
  path(contact: string): PeerPath
  setPath(contact: string, path: PeerPath): boolean
  relay(relay: string): RelayState
  setRelay(relay: string, state: RelayState, now: number): void
  readonly typing: Facts<true>
  readonly here: Facts<'online' | 'away'>
  readonly dials: Facts<DialReport>
  readonly sending: Facts<NetworkFailure['reason']>
  readonly sessions: Facts<SessionObstacle>
  readonly waiting: Facts<WaitingReason>
}

export const nothingPresent: PresenceState = {
  paths: new Map(),
  relays: new Map(),
  typing: new Map(),
  here: new Map(),
  dials: new Map(),
  sending: new Map(),
  sessions: new Map(),
  waiting: new Map(),
}

/** The kinds that a conversation shows. */
const shownKinds = ['paths', 'typing', 'here', 'waiting'] as const satisfies readonly (keyof PresenceState)[]

const factsIn = <T>(map: Map<string, T>, onChange: () => void): Facts<T> => ({
  get: (key) => map.get(key),
  set: (key, value) => {
    if (map.get(key) === value) return false
    if (value === undefined) map.delete(key)
    else map.set(key, value)
    onChange()
    return true
  },
})

const fill = <T>(target: Map<string, T>, from: ReadonlyMap<string, T>): void => {
  target.clear()
  for (const [key, value] of from) target.set(key, value)
}

/** `onChange` is called after each change that this engine makes, not after `replace`. */
export const createPresence = (onChange: () => void = () => undefined): Presence => {
  const state = {
    paths: new Map<string, PeerPath>(),
    relays: new Map<string, RelayPresence>(),
    typing: new Map<string, true>(),
    here: new Map<string, 'online' | 'away'>(),
    dials: new Map<string, DialReport>(),
    sending: new Map<string, NetworkFailure['reason']>(),
    sessions: new Map<string, SessionObstacle>(),
    waiting: new Map<string, WaitingReason>(),
  }
  const paths = factsIn(state.paths, onChange)
  const relays = factsIn(state.relays, onChange)
  return {
    state,
    replace: (next) => {
      const differs = (kind: (typeof shownKinds)[number]): string[] =>
        [...state[kind].keys(), ...next[kind].keys()].filter((key) => state[kind].get(key) !== next[kind].get(key))
      const changed = new Set(shownKinds.flatMap(differs))
      fill(state.paths, next.paths)
      fill(state.relays, next.relays)
      fill(state.typing, next.typing)
      fill(state.here, next.here)
      fill(state.dials, next.dials)
      fill(state.sending, next.sending)
      fill(state.sessions, next.sessions)
      fill(state.waiting, next.waiting)
      return [...changed]
    },
    path: (contact) => paths.get(contact) ?? 'none',
    // `none` is what is said of whoever is not known.
    setPath: (contact, path) => (path === 'none' && !paths.get(contact) ? false : paths.set(contact, path)),
    relay: (relay) => relays.get(relay)?.state ?? 'connecting',
    setRelay: (relay, next, now) => {
      if (relays.get(relay)?.state !== next) relays.set(relay, { state: next, sinceMs: now })
    },
    typing: factsIn(state.typing, onChange),
    here: factsIn(state.here, onChange),
    dials: factsIn(state.dials, onChange),
    sending: factsIn(state.sending, onChange),
    sessions: factsIn(state.sessions, onChange),
    waiting: factsIn(state.waiting, onChange),
  }
}

/** Relays that are known to be out of reach; they wake everything when they are back. */
export const isAway = ({ presence }: { readonly presence: Presence }, { relayKey }: RelayAddress): boolean => {
  const state = presence.relay(toHex(relayKey))
  return state !== 'connected' && state !== 'connecting'
}
