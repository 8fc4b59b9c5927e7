import type { DialOutcome, Network, PeerPath, RelayState } from '../../signaling/network.ts'
import type { WaitingReason } from './waiting-reason.ts'

/**
 * What the page asks of the engine, and what the engine tells the page. Types only; everything survives structured
 * cloning, because the engine runs in a worker. Every identifier is lower-case hex. Every view is a projection of committed
 * state: the engine never shows what is not yet stored.
 */

/** Never goes back. `waiting`: stored here, not yet with anybody else. */
export type MessageStatus = 'waiting' | 'sent' | 'delivered' | 'read'

export interface MessageView {
  /**
   * 17 bytes: 1 for one's own and 0 for the contact's, then the id its sender chose. So nobody can take the name of another's
   * message.
   */
  readonly messageId: string
  readonly conversationId: string
  /** Ascending in display order within the conversation; not an index. */
  readonly position: number
  readonly mine: boolean
  /** Absent for content this version cannot show (`update needed`). */
  readonly text?: string
  /** Unix milliseconds; never in this device's future at the time it was stored. */
  readonly sentAtMs: number
  /** Own messages only. */
  readonly status?: MessageStatus
  /** The app itself says something here (`mine`, without text and status): the contact's keys have changed. */
  readonly notice?: 'keys-changed'
  /** When it was last edited; Unix milliseconds. Absent: never. */
  readonly editedAtMs?: number
  /** It was deleted for both sides: there is no text any more. */
  readonly deleted?: boolean
  /** One emoji of each side. */
  readonly reactions?: { readonly mine?: string; readonly theirs?: string }
  /** The message it answers, which may not be here (any more). */
  readonly replyTo?: string
}

/** What a message said before an edit. */
export interface EarlierText {
  readonly text: string
  /** When it said so; Unix milliseconds. */
  readonly sentAtMs: number
}

export interface ConversationView {
  readonly conversationId: string
  readonly contactId: string
  /** The contact's display name; absent until their first message told it. */
  readonly name?: string
  readonly last?: Pick<MessageView, 'text' | 'mine' | 'sentAtMs' | 'status' | 'deleted'>
  /** When it was begun; Unix milliseconds. */
  readonly createdAtMs: number
  readonly unread: number
  readonly draft: string
  /** What the draft answers. */
  readonly draftReply?: string
  /** Number of stored messages, for the windowed list. */
  readonly messages: number
  readonly path: PeerPath
  readonly typing: boolean
  /** The contact tells over a direct link that they are here, or away; absent: no link, or not told. */
  readonly here?: 'online' | 'away'
  /** When they were last seen so; Unix milliseconds. Absent: never, or not told. */
  readonly seenAtMs?: number
  /** What the messages wait for that nobody has taken yet; absent: nothing waits, or has for a moment only. */
  readonly waiting?: WaitingReason
  /**
   * `verified`: the safety number was compared, and the keys are still those. `changed`: it was, and the keys are others
   * since; what is written waits for a yes. Absent: never compared.
   */
  readonly verification?: 'verified' | 'changed'
  /** The account shows two histories that contradict each other; only its own keys can have signed both. */
  readonly forked?: boolean
}

export interface ProfileView {
  readonly accountId: string
  readonly name: string
  /** When this device's keys were made; Unix milliseconds. */
  readonly keysSinceMs: number
}

export interface RelayView {
  readonly relayId: string
  readonly name: string
  readonly addresses: readonly string[]
  readonly state: RelayState
}

export interface Settings {
  readonly theme: 'system' | 'light' | 'dark'
  readonly sendReadReceipts: boolean
  /** Whether contacts are told that the person is writing; off, nobody's writing is shown either. */
  readonly shareTyping: boolean
  /** Whether contacts are told that the person is here, away, or when they were last seen; off, nobody's is shown either. */
  readonly sharePresence: boolean
}

/** Something the person should hear about; `code` is stable, `message` says what happened and what to do. */
export interface Problem {
  readonly code:
    | 'relay-unreachable'
    | 'relay-choice'
    | 'invite-invalid'
    | 'invite-own'
    | 'account-not-found'
    | 'version'
    | 'storage-full'
    | 'storage-failed'
    | 'too-long'
    | 'restored'
    | 'unknown'
  readonly message: string
}

export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem }

/**
 * What a scanned safety code says, held against this device's view.
 * - `match`: the same two accounts with the same keys on both sides; the contact is now verified.
 * - `older-here`, `older-there`: the same two, but this side (that side) has not seen the other's newest keys yet.
 * - `conflict`: the same two, but a side is shown keys of which their owner knows nothing.
 * - `other-people`: the code is of another pair.
 */
export type SafetyVerdict =
  | 'match'
  | 'older-here'
  | 'older-there'
  | 'conflict'
  | 'other-people'
  | 'not-a-code'
  | 'version'

/** A committed change. Listeners re-render from these alone; a `reset` asks them to read everything again. */
export type EngineEvent =
  | { readonly kind: 'conversation'; readonly conversation: ConversationView }
  | { readonly kind: 'message'; readonly message: MessageView; readonly isNew: boolean }
  /** Messages were deleted on this device. */
  | { readonly kind: 'removed'; readonly conversationId: string; readonly messageIds: readonly string[] }
  | { readonly kind: 'relays'; readonly relays: readonly RelayView[] }
  | { readonly kind: 'profile'; readonly profile: ProfileView }
  | { readonly kind: 'settings'; readonly settings: Settings }
  /** Progress of fetching what waited at the relay; `waiting` 0 ends it. */
  | { readonly kind: 'catching-up'; readonly waiting: number }
  | { readonly kind: 'problem'; readonly problem: Problem }
  /** This engine led, and finds that another one leads since: `disconnect` is wanted. */
  | { readonly kind: 'superseded' }

/** One line of the diagnostics log: no content, no names, no addresses. */
export interface DiagnosticLine {
  readonly atMs: number
  readonly area: 'envelope' | 'relay' | 'link' | 'storage' | 'prekeys' | 'invite' | 'engine'
  readonly code: string
  readonly detail: string
}

/** How things stand with one contact. Moments are Unix milliseconds. */
export interface ContactDiagnosis {
  readonly conversationId: string
  readonly name?: string
  readonly path: PeerPath
  /** When the last envelope of theirs was opened. */
  readonly heardAtMs?: number
  /** Messages nobody has taken yet, and what for they wait; without a reason they are on their way. */
  readonly waiting: number
  readonly reason?: WaitingReason
  /** Messages a relay or the contact's device has taken, of which no receipt has come. */
  readonly unreceipted: number
  /** There is a session to send on. */
  readonly hasSession: boolean
  /** The last attempt at a direct link in this run. */
  readonly dial?: { readonly outcome: DialOutcome; readonly atMs: number }
  /** A repair is wanted, and may begin from then on. */
  readonly repairAtMs?: number
}

/** How things stand with one relay this account lives at. */
export interface RelayDiagnosis {
  readonly relayId: string
  readonly name: string
  readonly state: RelayState
  /** Since when, in this run. */
  readonly sinceMs?: number
  /** What of ours it does not have yet. */
  readonly lacks: readonly ('log' | 'lanes' | 'prekeys')[]
}

/** Everything that tells why something does not work. Names are for the person alone: what leaves the device has none. */
export interface Diagnosis {
  readonly atMs: number
  readonly contacts: readonly ContactDiagnosis[]
  readonly relays: readonly RelayDiagnosis[]
  /** A relay has confirmed that this profile is the newest copy of itself. */
  readonly confirmed: boolean
  readonly lines: readonly DiagnosticLine[]
  /** Whether the browser promised to keep the storage. */
  readonly persisted: boolean
  readonly usageBytes: number
  readonly quotaBytes: number
}

/**
 * What comes of asking for a repair. `begun`: at once. `later`: one was made lately, and the next may begin at `atMs`; pauses
 * have ended all the same. `keys-changed`: the contact's new keys wait for a yes. `nobody`: no such contact.
 */
export type RepairAnswer =
  | { readonly kind: 'begun' }
  | { readonly kind: 'later'; readonly atMs: number }
  | { readonly kind: 'keys-changed' }
  | { readonly kind: 'nobody' }

export interface EngineState {
  /** Null before onboarding. */
  readonly profile: ProfileView | null
  readonly settings: Settings
  readonly relays: readonly RelayView[]
  readonly conversations: readonly ConversationView[]
  /** What was stored here is gone: the browser's own words for the reason, e.g. "database was corrupt: checksum mismatch". */
  readonly lossReason?: string
}

/** What an invite says before it is accepted. */
export interface InvitePreview {
  readonly accountId: string
  readonly relayAddresses: readonly string[]
}

/** Calls that need the network of the engine they are made on; everything else works in every tab. */
export const leadersCalls = [
  'createAccount',
  'addRelay',
  'moveRelay',
  'replaceKeys',
  'wipe',
] as const satisfies readonly (keyof EngineApi)[]

export interface EngineApi {
  /** Opens the store and reads the first screen's state. Network work begins with `connect`. */
  open(onEvent: (event: EngineEvent) => void): Promise<EngineState>
  /**
   * This engine leads from now on: it gets the network, and engines of other tabs that led before are refused by the store.
   * Any number of engines may be open on one database; the others are full views of it, and what they write is sent by the
   * one that leads.
   */
  connect(network: Network): Promise<void>
  /** Another tab takes over: the network is stopped. What only a leader can do (see `leadersCalls`) fails from then on. */
  disconnect(): Promise<void>
  /** Whether the person is at this tab: it is visible, and was touched within minutes. Told to contacts, if they want it. */
  attend(active: boolean): Promise<void>
  /** Ends the outbox and closes the store. */
  close(): Promise<void>

  /** Onboarding. `relayAddresses`: multiaddrs of the relay to live at, from this page's host or from the invite. */
  createAccount(name: string, relayAddresses: readonly string[]): Promise<Outcome<ProfileView>>
  setName(name: string): Promise<Outcome<ProfileView>>
  setSettings(settings: Partial<Settings>): Promise<Settings>

  /** One more relay to live at, found at these multiaddrs. Resolves once it is stored; contacts are told when it is ready. */
  addRelay(relayAddresses: readonly string[]): Promise<Outcome<readonly RelayView[]>>
  /** Lives there no longer; what is on its way there is still collected for 30 days. The last one stays. */
  removeRelay(relayId: string): Promise<Outcome<readonly RelayView[]>>
  /** Both at once: the relay found at these multiaddrs takes the place of `relayId`. */
  moveRelay(relayId: string, relayAddresses: readonly string[]): Promise<Outcome<readonly RelayView[]>>

  /** The fragment of a fresh invite link (no `#`). Registers its lane at the relay. */
  createInvite(): Promise<Outcome<{ fragment: string }>>
  /** Checks a fragment without side effects. */
  previewInvite(fragment: string): Promise<Outcome<InvitePreview>>
  /** Opens the conversation the invite leads to: an existing one, or a new one whose first message is on its way. */
  acceptInvite(fragment: string): Promise<Outcome<{ conversationId: string }>>

  /** At most `limit` (≤ 200) messages before `before` (exclusive; absent: the newest), in ascending display order. */
  messages(conversationId: string, page: { before?: number; after?: number; limit: number }): Promise<MessageView[]>
  /** One message, wherever it stands; undefined: it is not here. */
  message(conversationId: string, messageId: string): Promise<MessageView | undefined>
  /** Resolves once message, session and outbox are committed. `replyTo`: the message that is answered. */
  send(conversationId: string, text: string, replyTo?: string): Promise<Outcome<MessageView>>
  /** What an own message says from now on, on both sides; what it said before stays readable. */
  edit(conversationId: string, messageId: string, text: string): Promise<Outcome<MessageView>>
  /** Oldest first. */
  earlierTexts(conversationId: string, messageId: string): Promise<EarlierText[]>
  /** One emoji, in place of an earlier one; null: none. */
  react(conversationId: string, messageId: string, emoji: string | null): Promise<Outcome<MessageView>>
  /** Own messages: nothing of what they said is left on either side once the contact has heard of it. */
  deleteForEveryone(conversationId: string, messageIds: readonly string[]): Promise<Outcome<null>>
  /** On this device alone. */
  removeMessages(conversationId: string, messageIds: readonly string[]): Promise<Outcome<null>>
  /** Everything up to `position` was on screen. */
  markRead(conversationId: string, position: number): Promise<void>
  saveDraft(conversationId: string, text: string, replyTo?: string): Promise<void>
  /** The person is typing; at most one signal per 3 s leaves. */
  typing(conversationId: string): Promise<void>
  /** The conversation now on screen, or null: a direct link is kept ready for it. */
  show(conversationId: string | null): Promise<void>

  /** 60 digits, equal on both sides, and the QR payload. */
  safetyNumber(conversationId: string): Promise<{ digits: string; qr: Uint8Array }>
  /** Compares the bytes of a scanned code (`safetyNumber().qr` of the other side). */
  compareSafety(conversationId: string, code: Uint8Array): Promise<SafetyVerdict>
  /**
   * The person has compared what was shown (`safetyNumber().qr`), which is a yes to the keys the contact has now; null: not any
   * more. False, and nothing is changed: the keys are others than when it was shown, or others than the verified ones.
   */
  setVerified(conversationId: string, shown: Uint8Array | null): Promise<boolean>
  /** A yes to the contact's new keys without comparing: what waits is sent, and the contact is not verified any more. */
  acceptKeys(conversationId: string): Promise<void>
  /** New device and identity keys for this account; contacts are told. Resolves once they are stored and in use. */
  replaceKeys(): Promise<Outcome<ProfileView>>
  /** The same in every tab: what is stored, and what the tab that leads knows of the network. */
  diagnostics(): Promise<Diagnosis>
  /** A new session with this contact as soon as repairs allow it, what is undelivered sent again, and no more pauses. */
  repair(conversationId: string): Promise<RepairAnswer>
  /** Forgets everything on this device. */
  wipe(): Promise<void>
}
