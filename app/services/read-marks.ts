import { fromHex } from '../../protocol/wire/bytes.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { contactTable } from '../store/records/contact.ts'
import { conversationTable, type ConversationRow } from '../store/records/conversation.ts'
import { messageTable, type MessageRow } from '../store/records/message.ts'
import { putConversation } from './conversations.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import { oweReceipt } from './receipts.ts'
import { readSettings } from './settings.ts'

/** 200 rows per step: a long absence is worked off in steps that let messages through in between. */
const perStep = 200

/** The first message after `position` that was not on screen yet. */
export const nextUnseen = async (
  tx: WriteTransaction,
  conversationId: Uint8Array,
  position: number,
): Promise<number | undefined> => {
  for (let after = position; ;) {
    const rows = await tx.list(messageTable, { prefix: [conversationId], after, limit: perStep })
    const unseen = rows.find((row) => !row.seen)
    if (unseen) return unseen.position
    const last = rows.at(-1)
    if (!last || rows.length < perStep) return undefined
    after = last.position
  }
}

const putUnread = (
  tx: WriteTransaction,
  effects: Effects,
  row: ConversationRow,
  unread: number,
  first?: number,
): void => {
  const next: ConversationRow = { ...row, unread }
  delete next.firstUnread
  putConversation(tx, effects, first === undefined ? next : { ...next, firstUnread: first })
}

/** Marks up to `perStep` rows; true when there is more to do. */
const markStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  conversationId: Uint8Array,
  position: number,
): Promise<boolean> => {
  const conversation = await tx.get(conversationTable, [conversationId])
  const first = conversation?.firstUnread
  if (!conversation || conversation.unread === 0 || first === undefined || first > position) return false
  // `before` and `after` are exclusive, and positions may be anything: the row at `position` itself is read by key.
  const rows = await tx.list(messageTable, { prefix: [conversationId], after: first, before: position, limit: perStep })
  const ends = await Promise.all([first, position].map((at) => tx.get(messageTable, [conversationId, at])))
  const complete = rows.length < perStep
  const all = [ends[0], ...rows, ...(complete && first !== position ? [ends[1]] : [])].filter(
    (row) => row !== undefined,
  )
  const unseen = all.filter((row) => !row.seen)
  const contact = await tx.get(contactTable, [conversation.contactId])
  const tell = contact?.state === 'accepted' && (await readSettings(tx)).sendReadReceipts
  for (const row of unseen) await markOne(tx, core, effects, conversation.contactId, row, tell)
  const unread = Math.max(0, conversation.unread - unseen.length)
  const reached = complete ? position : (rows.at(-1)?.position ?? position)
  const next = unread > 0 ? await nextUnseen(tx, conversationId, reached) : undefined
  putUnread(tx, effects, conversation, next === undefined ? 0 : unread, next)
  return !complete
}

const markOne = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  contactId: Uint8Array,
  row: MessageRow,
  tell: boolean,
): Promise<void> => {
  tx.put(messageTable, { ...row, seen: true })
  const { messageId, envelopeId } = row
  if (tell)
    await oweReceipt(
      tx,
      effects,
      { contactId, messageId, ...(envelopeId ? { envelopeId } : {}), read: true },
      core.now(),
    )
}

/** Everything up to `position` was on screen: unread count, and read receipts if the person sends them. */
export const markRead = async (core: Core, conversationId: string, position: number): Promise<void> => {
  const id = fromHex(conversationId)
  while (await core.commit((tx, effects) => markStep(tx, core, effects, id, position)));
}
