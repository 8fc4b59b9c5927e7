import type { PrekeyBundle, SignedPublicKey } from '../protocol/identity/prekeys.ts'
import type { RefusalCode } from '../protocol/relay/frame.ts'
import type { RelayInfo } from '../protocol/relay/info-calls.ts'

/**
 * What the app's engine and the network say to each other. Types only: the engine runs in a worker, the network on the
 * page (WebRTC does not exist in workers), so every argument and answer survives structured cloning and failures are
 * values, never classes.
 */

/** A relay as it is found: its Ed25519 peer key (32 bytes) and multiaddrs, most preferred first. */
export interface RelayAddress {
  readonly relayKey: Uint8Array
  readonly addresses: readonly string[]
}

/** A mailbox of this device. */
export interface OwnMailbox extends RelayAddress {
  /** 32 bytes, public: `mailboxIdOf` the secret. */
  readonly mailboxId: Uint8Array
  /** 32 random bytes that only this device and the relay see; whoever knows them can register the mailbox. */
  readonly mailboxSecret: Uint8Array
}

/** Where a device's mail waits: at the relays it lives at, and (`left`) at those it has left, where only old mail comes. */
export interface OwnMailboxes {
  readonly mailboxes: readonly OwnMailbox[]
  /** At other relays than `mailboxes`. They are collected, and nobody is introduced to this device there. */
  readonly left?: readonly OwnMailbox[]
}

/** A device of this account: its seed (32 bytes) and its mailboxes. */
interface OwnDevice extends OwnMailboxes {
  readonly deviceSeed: Uint8Array
}

/** A mailbox of somebody else, with the 32-byte lane they gave us. */
export interface RemoteMailbox extends RelayAddress {
  readonly mailboxId: Uint8Array
  readonly lane: Uint8Array
  /** Nobody has answered yet to what was left there: it is used besides the others, and is not counted as one of them. */
  readonly unproven?: boolean
}

/** Everything the network knows about a contact's device. `contactId` is the engine's own name for it (hex), opaque here. */
export interface PeerRoute {
  readonly contactId: string
  /** Ed25519 device key (32 bytes): the peer key of its home host. */
  readonly deviceKey: Uint8Array
  readonly mailboxes: readonly RemoteMailbox[]
  /** Whether a direct link may be dialled: only to accepted contacts. */
  readonly direct: boolean
}

/**
 * - `offline`: no relay of the peer and no link is reachable now.
 * - `slow-down`: a limit; not before `retryAfterMs`.
 * - `refused`: the relay will not take it at all (`message` says why); repeating does not help.
 */
export interface NetworkFailure {
  readonly ok: false
  readonly reason: 'offline' | 'slow-down' | 'refused'
  readonly message: string
  readonly retryAfterMs?: number
  /** What a relay that was reached gave as its reason. */
  readonly refusal?: RefusalCode
}

export type NetworkResult<T> = { readonly ok: true; readonly value: T } | NetworkFailure

/** `direct`: the peer's device acknowledged it on a link. `deposited`: one of its mailboxes has it durably. */
export type SendPath = 'direct' | 'deposited'

/** How a contact is reached right now. `none`: neither a link nor any of its relays. */
export type PeerPath = 'direct' | 'relay' | 'none'

/**
 * How the last attempt at a direct link ended, whichever side made it.
 * - `linked`: it stood.
 * - `no-relay`: no relay of the contact is known that could introduce us; `relay-unreachable`: it could not be reached.
 * - `not-there`: the relay says that the contact's device is not connected to it.
 * - `no-answer`: the device was called through the relay, and did not answer.
 * - `no-way-through`: both sides exchanged their offers, and the networks between them let no connection through.
 * - `not-recognised`: a connection stood, but nobody of this name answered on it; `failed`: anything else.
 */
export type DialOutcome =
  | 'linked'
  | 'no-relay'
  | 'relay-unreachable'
  | 'not-there'
  | 'no-answer'
  | 'no-way-through'
  | 'not-recognised'
  | 'failed'

/**
 * State of the connection to one own relay. `reconnecting` after it was `connected` once, or after the first failure;
 * `outdated`: it serves only clients of newer versions than this one.
 */
export type RelayState = 'connecting' | 'connected' | 'reconnecting' | 'offline' | 'outdated'

/** Where envelopes came from: a mailbox (with the lane's hash per envelope) or a direct link. */
export type EnvelopeSource =
  | { readonly kind: 'mailbox'; readonly relayKey: Uint8Array; readonly waiting: number }
  | { readonly kind: 'link'; readonly linkId: number; readonly contactId?: string }

export interface ReceivedEnvelope {
  readonly envelope: Uint8Array
  /** SHA-256 of the lane it was deposited through; absent on a link. */
  readonly laneHash?: Uint8Array
}

export interface LaneGrant {
  readonly laneHash: Uint8Array
  readonly envelopes?: number
  readonly expiresAtMs?: number
}

/** What the network asks and tells the engine. */
export interface NetworkListener {
  /**
   * Called with at most 50 envelopes at a time and never again for one source before it settled. One answer per envelope,
   * in order: true once nothing more is wanted of it (committed, known, or recorded as unreadable), so that it may be
   * acknowledged. A rejection or `false` leaves it where it is.
   */
  onEnvelopes(source: EnvelopeSource, envelopes: readonly ReceivedEnvelope[]): Promise<boolean[]>
  /** The sealed hello with which our side opens a fresh link to a contact. */
  hello(contactId: string): Promise<Uint8Array | null>
  /**
   * A sealed signal from a link. The answer names the contact whose session opened it (the link is then known to be
   * theirs) and may hold a signal to send back; null: nobody's, expired or repeated.
   */
  onSignal(linkId: number, signal: Uint8Array): Promise<{ contactId: string; reply?: Uint8Array } | null>
  onRelayState(relayKey: Uint8Array, state: RelayState): void
  onPath(contactId: string, path: PeerPath): void
  /** An attempt at a direct link has ended. */
  onDial(contactId: string, outcome: DialOutcome): void
  /** An own relay has few one-time prekeys of this device left. */
  onPrekeysLow(relayKey: Uint8Array): void
}

/** The network as the engine sees it. */
export interface Network {
  /**
   * Starts the home host: connects, registers and subscribes own mailboxes, listens for direct links. Mailboxes of retired
   * devices are collected with their own keys, and nothing else is done with those. After `stop` it may be started again.
   */
  start(device: OwnDevice & { readonly retired?: readonly OwnDevice[] }, listener: NetworkListener): Promise<void>
  stop(): Promise<void>
  /**
   * The own mailboxes are these from now on: those that are new are connected and collected, those not named any more are let
   * go. Links, and relays named before and now, notice nothing. Without effect before `start`.
   */
  collect(own: OwnMailboxes): Promise<void>

  /** Dials a relay by its addresses alone and asks who it is; used when a relay is chosen. */
  identifyRelay(addresses: readonly string[]): Promise<NetworkResult<{ relayKey: Uint8Array; info: RelayInfo }>>

  publishLog(relay: RelayAddress, log: Uint8Array): Promise<NetworkResult<null>>
  publishPrekeys(
    relay: RelayAddress,
    owner: { accountId: Uint8Array; deviceId: Uint8Array },
    prekeys: readonly SignedPublicKey[],
  ): Promise<NetworkResult<{ oneTime: number; oneTimeKem: number }>>
  countPrekeys(
    relay: RelayAddress,
    owner: { accountId: Uint8Array; deviceId: Uint8Array },
  ): Promise<NetworkResult<{ oneTime: number; oneTimeKem: number }>>
  setLanes(mailbox: OwnMailbox, lanes: readonly LaneGrant[]): Promise<NetworkResult<null>>
  revokeLanes(mailbox: OwnMailbox, laneHashes: readonly Uint8Array[]): Promise<NetworkResult<null>>
  /** Raises a counter that the relay keeps for this mailbox, and that never falls there; gives what it was before. */
  advance(mailbox: OwnMailbox, counter: number): Promise<NetworkResult<number>>

  /** By courier: the relay does not learn who asks. */
  fetchLog(relay: RelayAddress, accountId: Uint8Array): Promise<NetworkResult<Uint8Array>>
  fetchBundles(relay: RelayAddress, accountId: Uint8Array): Promise<NetworkResult<PrekeyBundle[]>>

  /**
   * Brings one envelope to a contact by the dial ladder: an open link, else its mailboxes at once while a direct link is
   * tried. Calls for the same contact keep their order and may be pipelined.
   */
  send(route: PeerRoute, envelope: Uint8Array): Promise<NetworkResult<SendPath>>
  /** Over an open link only; false when there is none. */
  signal(contactId: string, signal: Uint8Array): Promise<boolean>
  /** The conversation is on screen (or not any more): a direct link is worth having before the first message. */
  wantDirect(route: PeerRoute, wanted: boolean): void
}
