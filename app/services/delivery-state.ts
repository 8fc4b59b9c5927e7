import { equalBytes } from '../../protocol/wire/bytes.ts'
import type { Random } from '../../protocol/wire/brand.ts'
import { dayMs } from '../../protocol/wire/limits.ts'
import type { OutboxRow } from '../store/records/outbox.ts'
import type { MessageStatus } from './engine-api.ts'
import type { Pace } from './pace.ts'
import { backOff, backOffWhole, sinceMs } from './timers.ts'

/**
 * How one outgoing envelope gets to its contact: decisions only. Row and event in, new row and what follows out; `delivery.ts`
 * does it, within the transaction of whatever happened. The diagram is in `README.md`.
 *
 * 1. What the person sees of a message never goes back: waiting, sent, delivered, read. The row may: bytes whose session is
 *    lost are nobody's, and new ones begin below.
 * 2. A row with a message goes when its receipt came, or the person deletes the message; a control row when somebody has it.
 *    Nothing else removes a row.
 * 3. Bytes change only by `sealed`, and no two seals of one row are at once: it is the same transaction that encrypts.
 * 4. What is said of other bytes than the row has changes nothing of it; the row's own are offered at once.
 * 5. Every answer to an offer says when the next one is, as long as the row is there: there is no last attempt.
 * 6. Whoever has taken it is given the same bytes again after a pause that doubles with each time up to the longest; a refusal
 *    has the longest at once. No pause reaches farther than that, whatever the clock does.
 * 7. A gap shortens the pause, for one row three times at most between two seals.
 * 8. What a contact asks for is encrypted anew 3 times at most, and once more for every day since. What this device renews by
 *    itself begins that count again.
 */
export type Stage =
  /** Nothing is encrypted: there is no session, or the one there was sends nothing more. */
  | 'unsealed'
  /** Nobody has the bytes. */
  | 'sealed'
  /** A link or mailbox has taken the bytes, and no receipt has come. */
  | 'taken'

export const stageOf = ({ envelope, sent }: Pick<OutboxRow, 'envelope' | 'sent'>): Stage =>
  envelope === undefined ? 'unsealed' : sent ? 'taken' : 'sealed'

/** `envelope`: the bytes that this is about. */
export type DeliveryEvent =
  /** There is a session to send on. */
  | { readonly kind: 'session' }
  /** The session of these bytes is lost to the contact, which asks for them; or has been repaired. */
  | { readonly kind: 'asked-for' }
  /** A session was begun anew by ourselves, above the one of these bytes. */
  | { readonly kind: 'renewed' }
  /** Encrypted, in this transaction. */
  | { readonly kind: 'sealed'; readonly envelope: Uint8Array }
  /** The session of these bytes sends nothing more. */
  | { readonly kind: 'closed' }
  /** A link or mailbox has them durably. */
  | { readonly kind: 'taken'; readonly envelope: Uint8Array }
  /** A relay was reached and will not have them. */
  | { readonly kind: 'refused'; readonly envelope: Uint8Array }
  /** Nobody was reached, or asks for patience. */
  | { readonly kind: 'unanswered'; readonly envelope: Uint8Array }
  /** A message that was sent later has arrived. */
  | { readonly kind: 'gap' }
  /** The contact has told the first lanes of its own: what did not fit through the invite's may go. */
  | { readonly kind: 'lanes-told' }
  /** The contact lives elsewhere now, or the person does not want to wait. */
  | { readonly kind: 'hurried' }
  /** The person has deleted the message. */
  | { readonly kind: 'withdrawn' }
  /** The contact has the message. */
  | { readonly kind: 'receipt'; readonly status: ReceiptStatus }

export type ReceiptStatus = Extract<MessageStatus, 'delivered' | 'read'>

export type Consequence =
  /** To be encrypted, then `sealed`; the row given with this counts only if that succeeds. */
  | { readonly kind: 'seal' }
  /** It is brought to the contact at once. */
  | { readonly kind: 'offer' }
  /** It is offered again then, when the attempt under way is over. Unix milliseconds. */
  | { readonly kind: 'due'; readonly atMs: number }
  /** It is offered again as soon as the contact's pause after failures is over. */
  | { readonly kind: 'retry' }
  /** Nothing is left to offer. */
  | { readonly kind: 'forget' }
  /** The message has at least this status. */
  | { readonly kind: 'raise'; readonly status: MessageStatus }
  /** The refusal is written into the diagnostics. */
  | { readonly kind: 'diagnose' }

export interface Step {
  /** Undefined: it is gone. */
  readonly row: OutboxRow | undefined
  readonly follows: readonly Consequence[]
}

/** What a decision needs besides; `Core` has it all. */
export interface Surroundings {
  /** Unix milliseconds. */
  readonly now: () => number
  readonly random: Random
  readonly pace: Pick<Pace, 'offerAgainMs' | 'overtakeMs'>
}

const statusOrder: Readonly<Record<MessageStatus, number>> = { waiting: 0, sent: 1, delivered: 2, read: 3 }

/** Whether a message of status `before` that is now said to be `status` has got farther by that. */
export const isRaise = (before: MessageStatus, status: MessageStatus): boolean =>
  statusOrder[status] > statusOrder[before]

/**
 * 3 times, and once more for every day since: two losses in a row are bad luck, a contact that asks for ever must not make this
 * device encrypt, and a relay store, for ever; and no message may stay lost because a relay once made up too many losses.
 */
const maxRenewals = 3

/** Three gaps shorten the pause: after the fourth offer pauses take over, and the contact's own asking. */
const maxGapOffers = 3

/** As many doublings as a pause can have: the longest one. */
const longestPause = 30

/** Nobody has these bytes yet. */
const untaken = { sent: false, offers: 0, dueAtMs: 0 } as const

/** What has just been written to a contact, before it is sealed. */
export const unsealedRow = (
  written: Pick<OutboxRow, 'contactId' | 'number' | 'messageId' | 'conversationId' | 'createdAtMs'>,
): OutboxRow => ({ ...written, ...untaken })

/** Renewals as they count now. Days count in both directions: a clock that was put back must not make this wait for it. */
const renewalsNow = ({ renewals = 0, renewedAtMs }: OutboxRow, now: number): number =>
  renewedAtMs === undefined ? renewals : Math.max(0, renewals - Math.floor(Math.abs(now - renewedAtMs) / dayMs))

/** The longest that a row which was taken waits for its next offer. What is due later was written by a clock put back since. */
export const longestPauseMs = ({ offers }: Pick<OutboxRow, 'offers'>, pace: Pick<Pace, 'offerAgainMs'>): number =>
  backOffWhole(Math.max(0, offers - 1), pace.offerAgainMs)

const unchanged = (row: OutboxRow | undefined, ...follows: readonly Consequence[]): Step => ({ row, follows })

/** The same for every message, so its row, which may be large, need not be read for it. */
export const receiptStep = (status: ReceiptStatus): Step => ({
  row: undefined,
  follows: [{ kind: 'forget' }, { kind: 'raise', status }],
})

const askAnew = (row: OutboxRow, counted: boolean, now: number): Step => {
  // What is not sealed will be as soon as it can; name and lanes are told anew by the answer to the asking.
  if (!row.messageId || !row.envelope) return unchanged(row)
  const renewals = counted ? renewalsNow(row, now) + 1 : 0
  if (renewals > maxRenewals) return unchanged(row)
  return { row: { ...row, renewals, renewedAtMs: now }, follows: [{ kind: 'seal' }] }
}

const close = ({ envelope: _, ...row }: OutboxRow): Step => ({ row: { ...row, ...untaken }, follows: [] })

const isGap = (row: OutboxRow, { now, pace }: Surroundings): boolean => {
  if (stageOf(row) !== 'taken' || !row.messageId || row.offers > maxGapOffers) return false
  // Two ways may overtake each other: a gap is one only after a moment, and what is offered in a moment anyhow is none.
  return sinceMs(now(), row.createdAtMs) > pace.overtakeMs && row.dueAtMs > now() + pace.overtakeMs
}

type Answer = Extract<
  DeliveryEvent,
  { readonly envelope: Uint8Array; readonly kind: 'taken' | 'refused' | 'unanswered' }
>

/** One attempt is over. */
const answered = (row: OutboxRow, { kind, envelope }: Answer, at: Surroundings): Step => {
  // Encrypted anew while the old bytes were on their way.
  if (!row.envelope || !equalBytes(row.envelope, envelope)) return unchanged(row, { kind: 'due', atMs: at.now() })
  if (kind === 'unanswered') return unchanged(row, { kind: 'retry' })
  if (kind === 'taken' && !row.messageId) return { row: undefined, follows: [{ kind: 'forget' }] }
  const offers = row.offers + 1
  // A relay's reasons not to take it may change, and the row must not be lost.
  const pause = kind === 'taken' ? offers - 1 : longestPause
  const dueAtMs = at.now() + backOff(at.random, pause, at.pace.offerAgainMs)
  return {
    row: { ...row, sent: row.sent || kind === 'taken', offers, dueAtMs },
    follows: [
      { kind: 'due', atMs: dueAtMs },
      kind === 'taken' ? { kind: 'raise', status: 'sent' } : { kind: 'diagnose' },
    ],
  }
}

/** The one decision function. Of a row that is gone only a receipt still says something: delivered may become read. */
export const deliver = (row: OutboxRow | undefined, event: DeliveryEvent, at: Surroundings): Step => {
  // A receipt names a message: a control row is never meant.
  if (event.kind === 'receipt') return row && !row.messageId ? unchanged(row) : receiptStep(event.status)
  if (!row) return unchanged(row)
  switch (event.kind) {
    case 'session':
      return row.envelope ? unchanged(row) : unchanged(row, { kind: 'seal' })
    case 'asked-for':
    case 'renewed':
      return askAnew(row, event.kind === 'asked-for', at.now())
    case 'sealed':
      return { row: { ...row, envelope: event.envelope, ...untaken }, follows: [{ kind: 'offer' }] }
    case 'closed':
      return row.envelope ? close(row) : unchanged(row)
    case 'taken':
    case 'refused':
    case 'unanswered':
      return answered(row, event, at)
    case 'gap':
      if (!isGap(row, at)) return unchanged(row)
      return { row: { ...row, dueAtMs: at.now() + at.pace.overtakeMs }, follows: [{ kind: 'offer' }] }
    case 'lanes-told':
      return stageOf(row) === 'sealed' ? unchanged(row, { kind: 'offer' }) : unchanged(row)
    case 'withdrawn':
      return row.messageId ? { row: undefined, follows: [{ kind: 'forget' }] } : unchanged(row)
    case 'hurried':
      return row.envelope ? unchanged(row, { kind: 'offer' }) : unchanged(row)
  }
}
