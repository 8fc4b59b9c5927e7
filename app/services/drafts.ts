import { equalBytes, fromHex } from '../../protocol/wire/bytes.ts'
import { conversationTable, maxDraftLength } from '../store/records/conversation.ts'
import type { MessageReference } from '../store/records/message.ts'
import { putConversation } from './conversations.ts'
import type { Core } from './core.ts'
import { referenceOf } from './views.ts'

const isSame = (a: MessageReference | undefined, b: MessageReference | undefined): boolean =>
  a === undefined || b === undefined ? a === b : a.mine === b.mine && equalBytes(a.messageId, b.messageId)

/** What is being written, and what it answers, for the next time. */
export const saveDraft = (core: Core, conversationId: string, text: string, replyTo?: string): Promise<void> =>
  core.commit(async (tx, effects) => {
    const row = await tx.get(conversationTable, [fromHex(conversationId)])
    const draft = text.slice(0, maxDraftLength).toWellFormed()
    if (!row) return
    const { draftReply: before, ...rest } = row
    const draftReply = replyTo === undefined ? undefined : referenceOf(replyTo)
    if (row.draft === draft && isSame(before, draftReply)) return
    putConversation(tx, effects, { ...rest, draft, ...(draftReply ? { draftReply } : {}) })
  })
