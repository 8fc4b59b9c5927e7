import type { DatabaseSync } from 'node:sqlite'
import { hourMs, mailboxRetentionMs } from '../../protocol/wire/limits.ts'
import type { Deposit, DepositTarget, LaneGrant, MailboxQuota, RegisterOutcome, StoredEnvelope } from './relay-store.ts'

/** Sequences per mailbox; see the note on keys in schema.ts. */
const sequencesPerMailbox = 2 ** 32
const maxMailboxNumber = 2 ** 21 - 1

/** A device needs one; a few more for a client that lost its store and registered anew. */
const maxMailboxesPerOwner = 4

/** A lane per contact, and the replaced ones for a month: 10,000 is more contacts than anybody has. */
const maxLanesPerMailbox = 10_000

/** Decoys overwrite each other in turn. */
const decoySlots = 64

interface MailboxRow {
  readonly number: number
  readonly owner: Uint8Array
  readonly next_sequence: number
  readonly envelopes: number
  readonly bytes: number
}

interface LaneRow {
  readonly remaining: number | null
  readonly expires_at_ms: number | null
}

const prepare = (database: DatabaseSync) => ({
  mailbox: database.prepare('SELECT number, owner, next_sequence, envelopes, bytes FROM mailbox WHERE mailbox_id = ?'),
  owned: database.prepare('SELECT count(*) AS count FROM mailbox WHERE owner = ?'),
  register: database.prepare('INSERT INTO mailbox (mailbox_id, owner) VALUES (?, ?) RETURNING number'),
  lane: database.prepare('SELECT remaining, expires_at_ms FROM lane WHERE mailbox = ? AND lane_hash = ?'),
  lanes: database.prepare('SELECT count(*) AS count FROM lane WHERE mailbox = ?'),
  setLane: database.prepare(
    'INSERT OR REPLACE INTO lane (mailbox, lane_hash, remaining, expires_at_ms) VALUES (?, ?, ?, ?)',
  ),
  revokeLane: database.prepare('DELETE FROM lane WHERE mailbox = ? AND lane_hash = ?'),
  spendLane: database.prepare('UPDATE lane SET remaining = remaining - 1 WHERE mailbox = ? AND lane_hash = ?'),
  insert: database.prepare(
    'INSERT OR IGNORE INTO envelope (key, mailbox, envelope_id, lane_hash, expires_at_ms, envelope) VALUES (?, ?, ?, ?, ?, ?)',
  ),
  grow: database.prepare(
    'UPDATE mailbox SET next_sequence = next_sequence + 1, envelopes = envelopes + 1, bytes = bytes + ? WHERE number = ?',
  ),
  counter: database.prepare('SELECT counter FROM mailbox WHERE number = ?'),
  advance: database.prepare('UPDATE mailbox SET counter = ? WHERE number = ?'),
  shrink: database.prepare('UPDATE mailbox SET envelopes = envelopes - ?, bytes = bytes - ? WHERE number = ?'),
  decoy: database.prepare('INSERT OR REPLACE INTO decoy (slot, envelope_id, envelope) VALUES (?, ?, ?)'),
  waiting: database.prepare(
    'SELECT key, lane_hash, envelope FROM envelope WHERE key > ? AND key < ? ORDER BY key LIMIT ?',
  ),
  remove: database.prepare('DELETE FROM envelope WHERE key = ? RETURNING length(envelope) AS bytes'),
  filled: database.prepare('SELECT number FROM mailbox WHERE envelopes > 0 AND number > ? ORDER BY number LIMIT ?'),
  expired: database.prepare(
    'SELECT key FROM envelope WHERE key > ? AND key < ? AND expires_at_ms <= ? ORDER BY key LIMIT ?',
  ),
  expiredLanes: database.prepare('DELETE FROM lane WHERE expires_at_ms <= ?'),
})

/** Mailboxes, their lanes and what waits in them. Writing methods run inside a transaction of the caller. */
export class MailboxTable {
  readonly #sql: ReturnType<typeof prepare>
  readonly #quota: MailboxQuota
  #nextDecoy = 0

  constructor(database: DatabaseSync, quota: MailboxQuota) {
    this.#sql = prepare(database)
    this.#quota = quota
  }

  register(mailboxId: Uint8Array, owner: Uint8Array): RegisterOutcome {
    const existing = this.#find(mailboxId)
    if (existing) return Buffer.compare(existing.owner, owner) === 0 ? 'kept' : 'taken'
    if (countOf(this.#sql.owned.get(owner)) >= maxMailboxesPerOwner) return 'limit'
    const made = this.#sql.register.get(mailboxId, owner) as { number: number } | undefined
    if (made === undefined || made.number > maxMailboxNumber)
      throw new Error('the relay holds as many mailboxes as it can number')
    return 'kept'
  }

  owner(mailboxId: Uint8Array): Uint8Array | null {
    return this.#find(mailboxId)?.owner ?? null
  }

  setLanes(mailboxId: Uint8Array, lanes: readonly LaneGrant[]): boolean {
    const mailbox = this.#find(mailboxId)
    if (!mailbox) return false
    // Counts replaced lanes as new ones: the limit is far away, and being exact would cost a look-up each.
    if (countOf(this.#sql.lanes.get(mailbox.number)) + lanes.length > maxLanesPerMailbox) return false
    for (const { laneHash, envelopes, expiresAtMs } of lanes) {
      this.#sql.setLane.run(mailbox.number, laneHash, envelopes ?? null, expiresAtMs ?? null)
    }
    return true
  }

  revokeLanes(mailboxId: Uint8Array, laneHashes: readonly Uint8Array[]): void {
    const mailbox = this.#find(mailboxId)
    if (mailbox) for (const laneHash of laneHashes) this.#sql.revokeLane.run(mailbox.number, laneHash)
  }

  /** Ids of mailboxes that have something new. */
  deposit(deposit: Deposit, nowMs: number): Uint8Array[] {
    return deposit.targets
      .filter((target) => this.#depositInto(target, deposit, nowMs))
      .map(({ mailboxId }) => mailboxId)
  }

  #depositInto({ mailboxId, laneHash }: DepositTarget, { envelope, envelopeId }: Deposit, nowMs: number): boolean {
    const mailbox = this.#find(mailboxId)
    const number = mailbox?.number ?? -1
    const lane = this.#sql.lane.get(number, laneHash) as LaneRow | undefined
    if (mailbox && lane && laneOpen(lane, nowMs) && this.#hasRoom(mailbox, envelope.length)) {
      const key = number * sequencesPerMailbox + mailbox.next_sequence
      const expiresAtMs = Math.ceil((nowMs + mailboxRetentionMs) / hourMs) * hourMs
      const { changes } = this.#sql.insert.run(key, number, envelopeId, laneHash, expiresAtMs, envelope)
      if (changes === 1) {
        this.#sql.grow.run(envelope.length, number)
        if (lane.remaining !== null) this.#sql.spendLane.run(number, laneHash)
        return true
      }
    }
    // As much work for the disk as a stored one, so that the time of the answer tells nothing.
    this.#nextDecoy = (this.#nextDecoy + 1) % decoySlots
    this.#sql.decoy.run(this.#nextDecoy, envelopeId, envelope)
    return false
  }

  #hasRoom({ envelopes, bytes }: MailboxRow, length: number): boolean {
    return envelopes < this.#quota.envelopes && bytes + length <= this.#quota.bytes
  }

  waiting(mailboxId: Uint8Array, after: number, count: number, bytes: number): StoredEnvelope[] {
    const mailbox = this.#find(mailboxId)
    if (!mailbox) return []
    const base = mailbox.number * sequencesPerMailbox
    const found: StoredEnvelope[] = []
    let total = 0
    for (const row of this.#sql.waiting.iterate(base + after, base + sequencesPerMailbox, count)) {
      const { key, lane_hash: laneHash, envelope } = row as { key: number; lane_hash: Uint8Array; envelope: Uint8Array }
      total += envelope.length
      if (found.length > 0 && total > bytes) break
      found.push({ sequence: key - base, laneHash, envelope })
    }
    return found
  }

  countWaiting(mailboxId: Uint8Array): number {
    return this.#find(mailboxId)?.envelopes ?? 0
  }

  advance(mailboxId: Uint8Array, counter: number): number {
    const mailbox = this.#find(mailboxId)
    if (!mailbox) return 0
    const { counter: before } = this.#sql.counter.get(mailbox.number) as { counter: number }
    if (counter > before) this.#sql.advance.run(counter, mailbox.number)
    return before
  }

  acknowledge(mailboxId: Uint8Array, sequences: readonly number[]): void {
    const mailbox = this.#find(mailboxId)
    if (!mailbox) return
    const base = mailbox.number * sequencesPerMailbox
    const valid = sequences.filter((sequence) => sequence < sequencesPerMailbox)
    this.#remove(
      mailbox.number,
      valid.map((sequence) => base + sequence),
    )
  }

  /** Numbers of mailboxes that hold anything, ascending, above `after`. */
  filled(after: number, limit: number): number[] {
    return this.#sql.filled.all(after, limit).map((row) => Number(row['number']))
  }

  /** Removes at most `limit` expired envelopes of one mailbox; how many there were. */
  removeExpired(number: number, nowMs: number, limit: number): number {
    const base = number * sequencesPerMailbox
    const keys = this.#sql.expired.all(base, base + sequencesPerMailbox, nowMs, limit).map((row) => Number(row['key']))
    this.#remove(number, keys)
    return keys.length
  }

  removeExpiredLanes(nowMs: number): void {
    this.#sql.expiredLanes.run(nowMs)
  }

  #remove(number: number, keys: readonly number[]): void {
    let count = 0
    let bytes = 0
    for (const key of keys) {
      const removed = this.#sql.remove.get(key) as { bytes: number } | undefined
      if (!removed) continue
      count++
      bytes += removed.bytes
    }
    if (count > 0) this.#sql.shrink.run(count, bytes, number)
  }

  #find(mailboxId: Uint8Array): MailboxRow | undefined {
    return this.#sql.mailbox.get(mailboxId) as MailboxRow | undefined
  }
}

const laneOpen = ({ remaining, expires_at_ms: expiresAtMs }: LaneRow, nowMs: number): boolean =>
  (remaining === null || remaining > 0) && (expiresAtMs === null || expiresAtMs > nowMs)

const countOf = (row: Record<string, unknown> | undefined): number => Number(row?.['count'] ?? 0)
