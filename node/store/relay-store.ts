import type { PrekeyBundle, SignedPublicKey } from '../../protocol/identity/prekeys.ts'

/**
 * Everything a relay keeps. Every promise resolves only after what it says is on disk and would survive a power cut; calls
 * take effect in the order in which they were made. `relay-store.suite.ts` holds every implementation to this page.
 *
 * Ids and keys are `Uint8Array`s of the lengths given in protocol/relay. Times are Unix milliseconds.
 */

/**
 * - `full`: no space left; nothing was kept.
 * - `failed`: the storage failed; what the call asked for did not happen, or is not promised.
 * - `closed`: the store was closed.
 * - `locked`: another process uses the database.
 * - `newer`: the database was written by a newer version.
 */
export type StoreErrorCode = 'full' | 'failed' | 'closed' | 'locked' | 'newer'

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export interface LaneGrant {
  readonly laneHash: Uint8Array
  /** Envelopes the lane takes in all; absent: no total. */
  readonly envelopes?: number
  readonly expiresAtMs?: number
}

export interface DepositTarget {
  readonly mailboxId: Uint8Array
  readonly laneHash: Uint8Array
}

export interface Deposit {
  readonly envelope: Uint8Array
  /** SHA-256(envelope)[0..16]. */
  readonly envelopeId: Uint8Array
  readonly targets: readonly DepositTarget[]
}

export interface StoredEnvelope {
  readonly sequence: number
  readonly laneHash: Uint8Array
  readonly envelope: Uint8Array
}

/** Limits of one mailbox; beyond them deposits are dropped without a word. */
export interface MailboxQuota {
  readonly envelopes: number
  readonly bytes: number
}

/** `kept`: made or already there; `taken`: the id belongs to another key; `limit`: the key has as many as it may. */
export type RegisterOutcome = 'kept' | 'taken' | 'limit'

export interface PrekeyCount {
  readonly oneTime: number
  readonly oneTimeKem: number
}

/** A device as an account log lists it. */
export interface ListedDevice {
  readonly deviceId: Uint8Array
  readonly deviceKey: Uint8Array
}

export interface AccountRecord {
  readonly accountId: Uint8Array
  readonly head: Uint8Array
  readonly log: Uint8Array
  /** Devices at the head; prekeys of any other device of the account are dropped. */
  readonly devices: readonly ListedDevice[]
}

export interface RelayStore {
  register(mailboxId: Uint8Array, owner: Uint8Array): Promise<RegisterOutcome>
  /** Peer key that owns the mailbox, or null. */
  owner(mailboxId: Uint8Array): Uint8Array | null
  /** False: the mailbox holds as many lanes as it may, and none was changed. */
  setLanes(mailboxId: Uint8Array, lanes: readonly LaneGrant[]): Promise<boolean>
  revokeLanes(mailboxId: Uint8Array, laneHashes: readonly Uint8Array[]): Promise<void>

  /**
   * Stores one envelope in each target whose lane is valid and whose mailbox has room; an envelope already waiting there is
   * not stored again. Takes the same time and writes as much whether anything is stored or not. Resolves to the ids of
   * mailboxes that have something new.
   */
  deposit(deposit: Deposit, nowMs: number): Promise<readonly Uint8Array[]>
  /** Waiting envelopes with a sequence above `after`, oldest first: at most `count`, and at most `bytes` unless it is one. */
  waiting(mailboxId: Uint8Array, after: number, count: number, bytes: number): StoredEnvelope[]
  /** How many wait in all. */
  countWaiting(mailboxId: Uint8Array): number
  acknowledge(mailboxId: Uint8Array, sequences: readonly number[]): Promise<void>
  /** Raises the mailbox's counter, which never falls. Resolves to what it was; 0 of a mailbox that is not there. */
  advance(mailboxId: Uint8Array, counter: number): Promise<number>

  /** Null when the account is unknown. */
  account(accountId: Uint8Array): { readonly head: Uint8Array; readonly log: Uint8Array } | null
  /** Writes only if the stored head is still `expectedHead` (null: unknown account); false otherwise. */
  putAccount(record: AccountRecord, expectedHead: Uint8Array | null): Promise<boolean>
  device(accountId: Uint8Array, deviceId: Uint8Array): ListedDevice | null

  /**
   * Adds prekeys of a listed device. A one-time key that is or was there is left as it is; signed and last-resort keys
   * replace those with a lower id. `limit`: more one-time keys than a device may leave; nothing was added.
   */
  publishPrekeys(
    accountId: Uint8Array,
    deviceId: Uint8Array,
    prekeys: readonly SignedPublicKey[],
  ): Promise<PrekeyCount | 'unknown-device' | 'limit'>
  countPrekeys(accountId: Uint8Array, deviceId: Uint8Array): PrekeyCount
  /** A bundle per device that has a complete one; takes one-time keys out for good before it resolves. */
  takeBundles(accountId: Uint8Array): Promise<PrekeyBundle[]>

  /** Removes what has expired, in small steps. Resolves to the number of envelopes removed. */
  sweep(nowMs: number): Promise<number>
  /** Throws StoreError when the last write failed: the relay should not call itself ready. */
  check(): void
  close(): Promise<void>
}
