import type { WriteTransaction } from '../store/client-store.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { messageTable, type MessageRow } from '../store/records/message.ts'
import { outboxTable } from '../store/records/outbox.ts'
import type { Core } from './core.ts'
import { advance } from './delivery.ts'
import type { Effects } from './effects.ts'

/** What the person has deleted is brought to nobody any more; a link or mailbox that has it already keeps it. */
export const withdraw = async (tx: WriteTransaction, core: Core, effects: Effects, row: MessageRow): Promise<void> => {
  const { outboxNumber, ...rest } = row
  const conversation = await tx.get(conversationTable, [row.conversationId])
  if (outboxNumber === undefined || !conversation) return
  const waiting = await tx.get(outboxTable, [conversation.contactId, outboxNumber])
  if (waiting) await advance(tx, core, effects, waiting, { kind: 'withdrawn' })
  tx.put(messageTable, rest)
}
