import { dayMs, hourMs, minuteMs, secondMs } from '../../protocol/wire/limits.ts'

/** How fast the engine does what it does by itself. Tests hand in a quicker pace; nobody else does. */
export interface Pace {
  /**
   * Direct link: a batch of receipts leaves after the first, so that a burst of messages shares one, and not again before the
   * second has passed, so that a long burst does not answer itself with a burst.
   */
  readonly receiptDirectMs: readonly [first: number, again: number]
  /** By mailbox: at random within these, so that a relay cannot tell a receipt by its delay (PROTOCOL 5). */
  readonly receiptMailboxMs: readonly [least: number, most: number]
  /** A duplicate this long after its receipt left shows that the receipt was lost. */
  readonly receiptRenewMs: number
  /** A message that was taken but not receipted is offered again after the first, doubling to the second. */
  readonly offerAgainMs: readonly [first: number, most: number]
  /** Any failed call is tried again after the first, doubling to the second, for ever. */
  readonly retryMs: readonly [first: number, most: number]
  /** A message that waits longer than this says for what; shorter ones would only flicker. */
  readonly waitingShownMs: number
  /** A contact whose account none of its relays has is asked for again after the first, doubling to the second. */
  readonly accountMissingMs: readonly [first: number, most: number]
  /** A contact's session is repaired once in the first, doubling to the second while repairs do not help. */
  readonly repairMs: readonly [first: number, most: number]
  /** The counter at the relays is raised this long after something was sent, and then not again before the second has passed. */
  readonly counterMs: readonly [first: number, again: number]
  /** Envelopes that did not open are asked for this long after one of them came. */
  readonly askMs: number
  /** Two envelopes of one sender overtake each other within this; a message missing longer than that is missing. */
  readonly overtakeMs: number
  /** What links and mailboxes have taken is written down this much later: the second while half of what may be under way is. */
  readonly recordMs: readonly [usually: number, inFlood: number]
  /** How often prekeys, lanes and old rows are looked after. */
  readonly upkeepMs: number
  /** How long a call that the person waits for may try the network. */
  readonly patienceMs: number
}

export const defaultPace: Pace = {
  receiptDirectMs: [50, 400],
  receiptMailboxMs: [2 * secondMs, 30 * secondMs],
  receiptRenewMs: 30 * secondMs,
  // 6 h: a mailbox keeps an envelope for 30 days, so this many repeats cost nothing and still bridge a burnt-down relay.
  offerAgainMs: [minuteMs, 6 * hourMs],
  // 30 s: a relay that came back is noticed by its connection; this is for whatever gives no sign.
  retryMs: [secondMs, 30 * secondMs],
  waitingShownMs: 3 * secondMs,
  accountMissingMs: [minuteMs, hourMs],
  // A relay can make any envelope fail: this is what it can cost a contact in one-time prekeys, five on the first day and one
  // on each day after.
  repairMs: [hourMs, dayMs],
  // A copy is noticed if the original sent anything this long before it was last seen; 10 s cost a relay next to nothing.
  counterMs: [2 * secondMs, 10 * secondMs],
  askMs: secondMs,
  overtakeMs: 5 * secondMs,
  // 75 ms: longer than it takes until a receipt comes over a direct link, and not noticed by anybody who waits for "sent". In a
  // flood receipts come 400 ms apart, and what is receipted by then needs no record.
  recordMs: [75, 600],
  upkeepMs: hourMs,
  patienceMs: 15 * secondMs,
}
