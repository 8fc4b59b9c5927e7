import type { Change } from '../../protocol/content/body.ts'
import { equalBytes } from '../../protocol/wire/bytes.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { earlierTextTable, targetKey } from '../store/records/change.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { messageIndex, messageTable, type MessageReference, type MessageRow } from '../store/records/message.ts'
import { lastOf, putConversation } from './conversations.ts'
import { noteMessage, type Effects } from './effects.ts'
import { isEmoji } from './emoji.ts'

/*
 * What an edit, a deletion or a reaction does to the message it concerns, the same for ours and for the contact's: the highest
 * revision counts, in whatever order they come, a deletion is for good, and the same change twice is the same as once.
 */

/** Who made a change, and when, by the clock of whoever made it. */
export interface Maker {
  readonly bySelf: boolean
  readonly atMs: number
}

/** The message a change concerns. Only its sender can edit or delete one, so for those no side is told. */
export const targetOf = (change: Change, bySelf: boolean): MessageReference =>
  change.kind === 'reaction'
    ? { messageId: change.target.messageId, mine: change.target.bySender === bySelf }
    : { messageId: change.messageId, mine: bySelf }

/** The row in its place, and the list's last words with it. */
const putChanged = async (tx: WriteTransaction, effects: Effects, row: MessageRow): Promise<void> => {
  tx.put(messageTable, row)
  noteMessage(effects, row, false)
  const conversation = await tx.get(conversationTable, [row.conversationId])
  const { last } = conversation ?? {}
  if (conversation && last?.mine === row.mine && equalBytes(last.messageId, row.messageId)) {
    putConversation(tx, effects, { ...conversation, last: lastOf(row) })
  }
}

/** What it said before its edits is nowhere any more. */
export const forgetEarlierTexts = async (tx: WriteTransaction, row: MessageRow): Promise<void> => {
  const key = targetKey(row)
  for (const { revision } of await tx.list(earlierTextTable, { prefix: [key] })) {
    tx.delete(earlierTextTable, [key, revision])
  }
}

const keepText = (
  tx: WriteTransaction,
  { conversationId, mine, messageId }: MessageRow,
  earlier: { readonly revision: number; readonly text: string; readonly sentAtMs: number },
): void => tx.put(earlierTextTable, { conversationId, mine, messageId, ...earlier })

const edited = (
  tx: WriteTransaction,
  row: MessageRow & { readonly text: string },
  { revision, text }: Extract<Change, { kind: 'edit' }>,
  { atMs }: Maker,
): MessageRow | undefined => {
  const { revision: known = 0, editedAtMs = row.sentAtMs } = row
  if (revision === known || revision === 0) return undefined
  // It was overtaken by a later one: it is part of what the message said before.
  if (revision < known) return void keepText(tx, row, { revision, text, sentAtMs: atMs })
  keepText(tx, row, { revision: known, text: row.text, sentAtMs: editedAtMs })
  return { ...row, text, revision, editedAtMs: atMs }
}

/** Nothing of what it said is left. */
const emptied = (row: MessageRow): MessageRow => {
  const { text: _, unknown: __, replyTo: ___, revision: ____, editedAtMs: _____, ...rest } = row
  const { reactionHere: ______, reactionThere: _______, ...kept } = rest
  return { ...kept, deleted: true }
}

const reacted = (
  row: MessageRow,
  { revision, emoji }: Extract<Change, { kind: 'reaction' }>,
  { bySelf }: Maker,
): MessageRow | undefined => {
  const known = bySelf ? row.reactionHere : row.reactionThere
  if (revision <= (known?.revision ?? 0) || (emoji !== '' && !isEmoji(emoji))) return undefined
  return { ...row, [bySelf ? 'reactionHere' : 'reactionThere']: { emoji, revision } }
}

const changed = async (
  tx: WriteTransaction,
  row: MessageRow,
  change: Change,
  maker: Maker,
): Promise<MessageRow | undefined> => {
  if (row.deleted) return undefined
  if (change.kind === 'deletion') {
    await forgetEarlierTexts(tx, row)
    return emptied(row)
  }
  if (change.kind === 'reaction') return reacted(row, change, maker)
  const { text } = row
  return text === undefined ? undefined : edited(tx, { ...row, text }, change, maker)
}

/** The message as it is after the change, which may have changed nothing; undefined: it is not here. */
export const applyChange = async (
  tx: WriteTransaction,
  effects: Effects,
  conversationId: Uint8Array,
  change: Change,
  maker: Maker,
): Promise<MessageRow | undefined> => {
  const { mine, messageId } = targetOf(change, maker.bySelf)
  const row = await tx.find(messageTable, messageIndex(conversationId, mine, messageId))
  if (!row || row.notice !== undefined) return undefined
  const next = await changed(tx, row, change, maker)
  if (next) await putChanged(tx, effects, next)
  return next ?? row
}
