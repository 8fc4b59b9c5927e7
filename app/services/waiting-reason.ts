import type { NetworkFailure, PeerPath, RelayState } from '../../signaling/network.ts'

/**
 * Why no session could be begun. `failed`: none of the contact's relays gave their keys; `missing`: their account is not
 * there; `unusable`: what they gave is not accepted; the others: no common version.
 */
export type SessionObstacle = 'failed' | 'missing' | 'unusable' | 'update-here' | 'update-there'

/**
 * What a message of one's own waits for.
 * - `keys-changed`: the person's yes to the contact's new keys.
 * - `own-offline`, `outdated`: a connection to one of our relays; a newer version of this app, which they ask for.
 * - `not-newest`: one of our relays, to confirm that this profile is the newest copy of itself.
 * - `own-moving`: one of our relays, to take our new keys or mailbox, before anybody is told of them.
 * - `fetching-keys`: the contact's keys, which are being fetched; `no-keys`: they could not be fetched.
 * - `account-missing`: the contact's account, which is not at their relay; `keys-unusable`: keys that can be accepted.
 * - `update-here`, `update-there`: a common version.
 * - `first-answer`: the contact's first answer; an invite's lane takes only few envelopes.
 * - `slow-down`: a relay that asks for patience; `refused`: a relay that does not take it.
 * - `contact-unreachable`: one of the contact's relays.
 */
export type WaitingReason =
  | 'keys-changed'
  | 'own-offline'
  | 'outdated'
  | 'not-newest'
  | 'own-moving'
  | 'fetching-keys'
  | 'no-keys'
  | 'account-missing'
  | 'keys-unusable'
  | 'update-here'
  | 'update-there'
  | 'first-answer'
  | 'slow-down'
  | 'refused'
  | 'contact-unreachable'

export interface WaitingFacts {
  /** How the messages that nobody has taken yet stand; `beyond`: more of them than an invite's lane takes. */
  readonly rows: 'none' | 'unsealed' | 'sealed' | 'beyond'
  /** The contact's keys wait for a yes. */
  readonly held: boolean
  /** This profile is confirmed to be the newest copy of itself. */
  readonly confirmed: boolean
  /** Contacts cannot be told yet where this account lives now. */
  readonly moving: boolean
  /** Of the own relays. */
  readonly relays: readonly RelayState[]
  readonly path: PeerPath
  /** The last attempt at a session, if it failed. */
  readonly session: SessionObstacle | undefined
  /** The last attempt at sending, if it failed. */
  readonly sending: NetworkFailure['reason'] | undefined
}

const sessionReasons: Readonly<Record<SessionObstacle, WaitingReason>> = {
  failed: 'no-keys',
  missing: 'account-missing',
  unusable: 'keys-unusable',
  'update-here': 'update-here',
  'update-there': 'update-there',
}

/** What our own side lacks, when nothing else can be blamed. */
const ownLack = (relays: readonly RelayState[]): WaitingReason | undefined => {
  if (relays.includes('connected')) return undefined
  return relays.length > 0 && relays.every((state) => state === 'outdated') ? 'outdated' : 'own-offline'
}

/**
 * The one decision: what the person should read, which is what has to come about first. Undefined: nothing waits, or it is on
 * its way and nothing has gone wrong.
 */
export const waitingReason = (facts: WaitingFacts): WaitingReason | undefined => {
  const { rows, held, confirmed, moving, relays, path, session, sending } = facts
  if (rows === 'none') return undefined
  if (held) return 'keys-changed'
  const lack = ownLack(relays)
  // A path to the contact without a relay of our own: nothing but the confirmation is missing.
  if (!confirmed) return lack === undefined || (path !== 'none' && lack === 'own-offline') ? 'not-newest' : lack
  if (rows === 'unsealed') {
    if (session !== undefined && session !== 'failed') return sessionReasons[session]
    if (lack !== undefined && path === 'none') return lack
    if (moving) return 'own-moving'
    return session === undefined ? 'fetching-keys' : sessionReasons[session]
  }
  if (path === 'direct') return undefined
  if (rows === 'beyond') return 'first-answer'
  if (sending === 'slow-down' || sending === 'refused') return sending
  if (lack !== undefined && (path === 'none' || sending === 'offline')) return lack
  return sending === 'offline' ? 'contact-unreachable' : undefined
}
