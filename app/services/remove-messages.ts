import { equalBytes, fromHex } from '../../protocol/wire/bytes.ts'
import type { ReadTransaction, WriteTransaction } from '../store/client-store.ts'
import { removedTable } from '../store/records/change.ts'
import { conversationTable, type ConversationRow } from '../store/records/conversation.ts'
import { messageIndex, messageTable, type MessageRow } from '../store/records/message.ts'
import { forgetEarlierTexts } from './apply-change.ts'
import { lastOf, putConversation } from './conversations.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import type { Outcome } from './engine-api.ts'
import { problemOf } from './problems.ts'
import { nextUnseen } from './read-marks.ts'
import { referenceOf } from './views.ts'
import { withdraw } from './withdraw.ts'

/** 50 rows at a time are looked at for the newest one that is no notice. */
const perLook = 50

const newestMessage = async (tx: ReadTransaction, conversationId: Uint8Array): Promise<MessageRow | undefined> => {
  for (let before = Number.POSITIVE_INFINITY; ;) {
    const bound = Number.isFinite(before) ? { before } : {}
    const rows = await tx.list(messageTable, { prefix: [conversationId], limit: perLook, reverse: true, ...bound })
    const found = rows.find((row) => row.notice === undefined)
    const eldest = rows.at(-1)
    if (found || !eldest || rows.length < perLook) return found
    before = eldest.position
  }
}

const removeRow = async (tx: WriteTransaction, core: Core, effects: Effects, row: MessageRow): Promise<void> => {
  const { conversationId, mine, messageId, position } = row
  await withdraw(tx, core, effects, row)
  await forgetEarlierTexts(tx, row)
  tx.delete(messageTable, [conversationId, position])
  // Another copy of it, or a change to it, may still be on its way here.
  if (!mine) tx.put(removedTable, { conversationId, mine, messageId })
}

/** The conversation without these rows: how many there are, what is unread, and the last words. */
const without = async (
  tx: WriteTransaction,
  { last, firstUnread, ...conversation }: ConversationRow,
  rows: readonly MessageRow[],
): Promise<ConversationRow> => {
  const { conversationId, messages } = conversation
  const unread = conversation.unread - rows.filter((row) => !row.mine && !row.seen).length
  const wasLast = last && rows.some((row) => row.mine === last.mine && equalBytes(row.messageId, last.messageId))
  const newest = wasLast ? await newestMessage(tx, conversationId) : undefined
  const kept = newest ? lastOf(newest) : wasLast ? undefined : last
  const first = unread > 0 ? await nextUnseen(tx, conversationId, (firstUnread ?? 0) - 1) : undefined
  return {
    ...conversation,
    messages: messages - rows.length,
    unread: first === undefined ? 0 : unread,
    ...(kept ? { last: kept } : {}),
    ...(first === undefined ? {} : { firstUnread: first }),
  }
}

/**
 * Deletes messages on this device alone. What of one's own had not been taken by anybody is not sent any more; what comes
 * again of somebody else's is not shown again. Those that are not here any more are passed over.
 */
export const removeMessages = async (
  core: Core,
  conversationId: string,
  names: readonly string[],
): Promise<Outcome<null>> => {
  try {
    await core.commit(async (tx, effects) => {
      const id = fromHex(conversationId)
      const conversation = await tx.get(conversationTable, [id])
      const rows: MessageRow[] = []
      for (const { mine, messageId } of names.map(referenceOf)) {
        const row = await tx.find(messageTable, messageIndex(id, mine, messageId))
        if (row) rows.push(row)
      }
      if (!conversation || rows.length === 0) return
      for (const row of rows) await removeRow(tx, core, effects, row)
      putConversation(tx, effects, await without(tx, conversation, rows))
      effects.events.push({ kind: 'removed', conversationId, messageIds: names })
    })
    return { ok: true, value: null }
  } catch (cause) {
    return { ok: false, problem: problemOf(cause) }
  }
}
