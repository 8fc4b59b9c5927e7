import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import type { ReadTransaction } from '../store/client-store.ts'
import type { AccountRow } from '../store/records/account.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { outboxTable, type OutboxRow } from '../store/records/outbox.ts'
import type { Core } from './core.ts'
import { stageOf } from './delivery-state.ts'
import type { EngineEvent } from './engine-api.ts'
import { readAccount } from './identity.ts'
import { inviteLaneRows } from './outbox.ts'
import { showConversation } from './show-conversation.ts'
import { sinceMs, untilMs } from './timers.ts'
import { isHeld } from './trust.ts'
import { waitingReason, type WaitingFacts, type WaitingReason } from './waiting-reason.ts'

/** 64 rows from the newest: a message that waits is among them, unless so many others overtook it that nothing stands still. */
const rowsLookedAt = 64

/** How the messages among these rows stand that nobody has taken yet. */
const standing = (rows: readonly OutboxRow[], { inviteLanes }: ContactRow): WaitingFacts['rows'] => {
  const waiting = rows.filter((row) => row.messageId && stageOf(row) !== 'taken')
  if (waiting.length === 0) return 'none'
  if (waiting.some((row) => stageOf(row) === 'unsealed')) return 'unsealed'
  return inviteLanes && waiting.every((row) => row.number > inviteLaneRows) ? 'beyond' : 'sealed'
}

/** Why the messages among `rows` wait that do, by what is stored and what the leading engine knows. */
export const reasonFor = (
  core: Pick<Core, 'presence' | 'continuity'>,
  account: AccountRow,
  contact: ContactRow,
  rows: readonly OutboxRow[],
): WaitingReason | undefined => {
  const { presence, continuity } = core
  const name = toHex(contact.contactId)
  return waitingReason({
    rows: standing(rows, contact),
    held: isHeld(contact),
    confirmed: continuity.confirmed,
    moving: account.unannounced === true,
    relays: account.relays.map(({ relayKey }) => presence.relay(toHex(relayKey))),
    path: presence.path(name),
    session: presence.sessions.get(name),
    sending: presence.sending.get(name),
  })
}

/**
 * Says of each conversation what its messages wait for, once they have for a while, and that they wait no more at once. Runs in
 * the leading engine; the others hear of it as presence.
 */
export interface Waiting {
  /** Everything that waits in the store; once, when this engine begins to lead. */
  resume(): Promise<void>
  /** This was committed, here or in another tab. */
  heed(events: readonly EngineEvent[]): void
  /** Something that messages may wait for is another now. */
  look(): void
}

class StoredWaiting implements Waiting {
  readonly #core: Core
  /** Contacts (hex) whose messages may wait, and since when there has been a reason, by this engine's clock. */
  readonly #candidates = new Map<string, number | undefined>()
  #looking = false
  #again = false
  #cancel: (() => void) | undefined
  #resting = false

  constructor(core: Core) {
    this.#core = core
  }

  async resume(): Promise<void> {
    const rows = await this.#core.store.read((tx) => tx.list(outboxTable))
    for (const row of rows) if (row.messageId && stageOf(row) !== 'taken') this.#add(toHex(row.contactId))
    this.look()
  }

  heed(events: readonly EngineEvent[]): void {
    let concerned = false
    for (const event of events) {
      if (event.kind !== 'conversation') continue
      const { contactId, last } = event.conversation
      if (last?.mine && last.status === 'waiting') this.#add(contactId)
      concerned ||= this.#candidates.has(contactId)
    }
    if (concerned) this.look()
  }

  look(): void {
    if (this.#candidates.size === 0 || this.#core.timers.closed) return
    // What is shown goes at once; until something is, a stream of messages must not make this read all the time.
    const isHurried = this.#core.presence.state.waiting.size > 0
    if (this.#looking || (this.#resting && !isHurried)) this.#again = true
    else void this.#lookAll().catch(this.#core.report)
  }

  #add(contact: string): void {
    if (!this.#candidates.has(contact)) this.#candidates.set(contact, undefined)
  }

  async #lookAll(): Promise<void> {
    this.#looking = true
    try {
      do {
        this.#again = false
        for (const contact of this.#candidates.keys()) await this.#lookAt(contact)
      } while (this.#again)
    } finally {
      this.#looking = false
    }
    this.#rest()
    this.#schedule()
  }

  /** The next look comes after a tenth of what is waited for. */
  #rest(): void {
    if (this.#resting) return
    this.#resting = true
    this.#core.timers.after(this.#core.pace.waitingShownMs / 10, () => {
      this.#resting = false
      if (this.#again) this.look()
    })
  }

  async #lookAt(contact: string): Promise<void> {
    const { store, presence, now, pace } = this.#core
    const reason = await store.read((tx) => this.#reason(tx, contact))
    // With another look to come, something may have been written meanwhile.
    if (reason === 'nothing waits' && !this.#again) this.#candidates.delete(contact)
    const found = reason === 'nothing waits' ? undefined : reason
    const foundAtMs = found && (this.#candidates.get(contact) ?? now())
    if (this.#candidates.has(contact)) this.#candidates.set(contact, foundAtMs)
    const isShown = foundAtMs !== undefined && sinceMs(now(), foundAtMs) >= pace.waitingShownMs
    if (presence.waiting.set(contact, isShown ? found : undefined)) await showConversation(this.#core, contact)
  }

  async #reason(tx: ReadTransaction, contact: string): Promise<WaitingReason | undefined | 'nothing waits'> {
    const account = await readAccount(tx)
    const row = await tx.get(contactTable, [fromHex(contact)])
    if (!account || !row) return 'nothing waits'
    const rows = await tx.list(outboxTable, { prefix: [row.contactId], limit: rowsLookedAt, reverse: true })
    if (standing(rows, row) === 'none') return 'nothing waits'
    return reasonFor(this.#core, account, row, rows)
  }

  /** One timer for the next reason that will have lasted long enough. */
  #schedule(): void {
    const { now, pace, timers, presence } = this.#core
    this.#cancel?.()
    const due = [...this.#candidates]
      .filter(([contact]) => presence.waiting.get(contact) === undefined)
      .flatMap(([, foundAtMs]) => (foundAtMs === undefined ? [] : [foundAtMs + pace.waitingShownMs]))
    if (due.length === 0) return
    this.#cancel = timers.after(untilMs(now(), Math.min(...due), pace.waitingShownMs), () => this.look())
  }
}

export const createWaiting = (core: Core): Waiting => new StoredWaiting(core)
