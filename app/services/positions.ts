import type { WriteTransaction } from '../store/client-store.ts'
import type { ConversationRow } from '../store/records/conversation.ts'
import { messageTable, type MessageRow } from '../store/records/message.ts'

/**
 * Where a message stands in its conversation. Positions are doubles: a message at the end gets the last one plus `step`, one
 * between two others their midpoint.
 *
 * Invariants:
 * 1. Messages of one sender stand in the order of their sequence numbers, whatever any clock says.
 * 2. Within what 1 leaves open, by the moment of sending, as this device's clock would have told it.
 * 3. Own messages are appended: what the person just wrote is last on their screen.
 */
const step = 1_024

/** Rows read while looking for the place: nearly always the first few are enough. Each page is twice the one before, up to 64. */
const firstPage = 4
const longestPage = 64

/** Position of a new own message. */
export const appendPosition = (conversation: ConversationRow): number => conversation.lastPosition + step

interface Arrival {
  readonly sequence: number
  readonly orderMs: number
}

/**
 * The neighbours between which an arrival belongs. Looking back from the end, a message goes before every later one of its
 * sender, and before what was sent after it, until one of its sender's earlier ones is met.
 */
const findPlace = async (
  tx: WriteTransaction,
  { conversationId, highestSequence }: ConversationRow,
  { sequence, orderMs }: Arrival,
): Promise<{ before?: MessageRow; after?: MessageRow }> => {
  let place: { before?: MessageRow; after?: MessageRow } | undefined
  let next: MessageRow | undefined
  // While a later message of the sender may still be ahead, time must not decide yet.
  const overtaken = highestSequence > sequence
  let page = firstPage
  for (let before: number | undefined; ; before = next?.position) {
    const range = { prefix: [conversationId], limit: page, reverse: true, ...(before === undefined ? {} : { before }) }
    const rows = await tx.list(messageTable, range)
    for (const row of rows) {
      const earlierOfSender = !row.mine && row.sequence < sequence
      if (earlierOfSender) return place ?? { before: row, ...(next ? { after: next } : {}) }
      const laterOfSender = !row.mine && row.sequence > sequence
      if (laterOfSender) place = undefined
      else if (place === undefined && row.orderMs <= orderMs) place = { before: row, ...(next ? { after: next } : {}) }
      if (place !== undefined && !overtaken) return place
      next = row
    }
    if (rows.length < page) return place ?? (next ? { after: next } : {})
    page = Math.min(2 * page, longestPage)
  }
}

/** Moves everything from `from` on to make room; returns the moved rows. Rare: a gap halves about 40 times before. */
const renumber = async (tx: WriteTransaction, from: MessageRow): Promise<MessageRow[]> => {
  const rest = await tx.list(messageTable, { prefix: [from.conversationId], after: from.position })
  const rows = [from, ...rest]
  for (const row of rows) tx.delete(messageTable, [row.conversationId, row.position])
  const shift = step * rows.length
  const moved = rows.map((row, i) => ({ ...row, position: Math.ceil(from.position) + shift + i * step }))
  for (const row of moved) tx.put(messageTable, row)
  return moved
}

/** Position of a received message, and the rows that had to move for it. */
export const arrivalPosition = async (
  tx: WriteTransaction,
  conversation: ConversationRow,
  arrival: Arrival,
): Promise<{ position: number; moved: MessageRow[] }> => {
  // Nearly every message belongs at the end, and one row tells.
  const last = await tx.get(messageTable, [conversation.conversationId, conversation.lastPosition])
  if (last && arrival.sequence > conversation.highestSequence && (!last.mine || last.orderMs <= arrival.orderMs)) {
    return { position: appendPosition(conversation), moved: [] }
  }
  const { before, after } = await findPlace(tx, conversation, arrival)
  if (after === undefined) return { position: appendPosition(conversation), moved: [] }
  const low = before?.position ?? after.position - 2 * step
  const middle = low + (after.position - low) / 2
  if (middle > low && middle < after.position) return { position: middle, moved: [] }
  const moved = await renumber(tx, after)
  return { position: low + ((moved[0]?.position ?? low + 2 * step) - low) / 2, moved }
}
