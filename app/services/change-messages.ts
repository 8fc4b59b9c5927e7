import { toBodyFrame, type Change } from '../../protocol/content/body.ts'
import { fromHex } from '../../protocol/wire/bytes.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { earlierTextTable, ownChangeTable, targetKey } from '../store/records/change.ts'
import { contactTable } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { messageIndex, messageTable, type MessageRow } from '../store/records/message.ts'
import { applyChange } from './apply-change.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import { isEmoji } from './emoji.ts'
import type { EarlierText, MessageView, Outcome } from './engine-api.ts'
import { requireAccount } from './identity.ts'
import { problemOf, refuse } from './problems.ts'
import { sendableText } from './sendable-text.ts'
import { dispatch } from './sessions.ts'
import { messageView, referenceOf } from './views.ts'
import { withdraw } from './withdraw.ts'

/** What the person does to a message after it was sent: done here and put on its way in one transaction. */

const gone = refuse('unknown', 'This message is not here any more.')

const readRow = (tx: WriteTransaction, conversationId: Uint8Array, name: string): Promise<MessageRow | undefined> => {
  const { mine, messageId } = referenceOf(name)
  return tx.find(messageTable, messageIndex(conversationId, mine, messageId))
}

/** The change here, and on its way to the contact until that says it has it. */
const change = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  conversationId: Uint8Array,
  body: Change,
): Promise<Outcome<MessageView>> => {
  const conversation = await tx.get(conversationTable, [conversationId])
  const contact = conversation && (await tx.get(contactTable, [conversation.contactId]))
  const now = core.now()
  const row = contact && (await applyChange(tx, effects, conversationId, body, { bySelf: true, atMs: now }))
  if (!row) return gone
  const messageId = core.random(16)
  const saying = { messageId, sentAtMs: now, sequence: 0, body }
  const outboxNumber = await dispatch(tx, core, await requireAccount(tx), contact, saying, effects)
  const { contactId } = contact
  tx.put(ownChangeTable, { contactId, messageId, outboxNumber, sentAtMs: now, ...toBodyFrame(body) })
  return { ok: true, value: messageView(row) }
}

const commit = async <T>(
  core: Core,
  step: (tx: WriteTransaction, effects: Effects) => Promise<Outcome<T>>,
): Promise<Outcome<T>> => {
  try {
    return await core.commit(step)
  } catch (cause) {
    return { ok: false, problem: problemOf(cause) }
  }
}

/** What an own message says from now on. The same text again changes nothing. */
export const editMessage = (
  core: Core,
  conversationId: string,
  name: string,
  text: string,
): Promise<Outcome<MessageView>> =>
  commit(core, async (tx, effects) => {
    const sendable = sendableText(text)
    if (!sendable.ok) return sendable
    const id = fromHex(conversationId)
    const row = await readRow(tx, id, name)
    if (row?.text === undefined) return gone
    if (!row.mine) return refuse('unknown', 'Only what you have written yourself can be edited.')
    if (row.text === sendable.value) return { ok: true, value: messageView(row) }
    const { messageId, revision = 0 } = row
    return change(tx, core, effects, id, { kind: 'edit', messageId, revision: revision + 1, text: sendable.value })
  })

/** One emoji, or none any more. */
export const react = (
  core: Core,
  conversationId: string,
  name: string,
  emoji: string | null,
): Promise<Outcome<MessageView>> =>
  commit(core, async (tx, effects) => {
    if (emoji !== null && !isEmoji(emoji)) return refuse('unknown', 'This is not an emoji.')
    const id = fromHex(conversationId)
    const row = await readRow(tx, id, name)
    if (!row || row.deleted) return gone
    const { reactionHere: before = { emoji: '', revision: 0 } } = row
    if (before.emoji === (emoji ?? '')) return { ok: true, value: messageView(row) }
    const target = { messageId: row.messageId, bySender: row.mine }
    return change(tx, core, effects, id, {
      kind: 'reaction',
      target,
      revision: before.revision + 1,
      emoji: emoji ?? '',
    })
  })

/** Own messages are gone on both sides. Those that are not here any more are passed over. */
export const deleteForEveryone = (
  core: Core,
  conversationId: string,
  names: readonly string[],
): Promise<Outcome<null>> =>
  commit(core, async (tx, effects) => {
    const id = fromHex(conversationId)
    // All or none: nothing is deleted before each of them has been looked at.
    if (!names.every((name) => referenceOf(name).mine)) {
      return refuse('unknown', 'Only what you have written yourself can be deleted for both of you.')
    }
    for (const name of names) {
      const row = await readRow(tx, id, name)
      if (!row || row.deleted) continue
      await withdraw(tx, core, effects, row)
      const outcome = await change(tx, core, effects, id, { kind: 'deletion', messageId: row.messageId })
      if (!outcome.ok) return outcome
    }
    return { ok: true, value: null }
  })

/** What a message said before its edits, oldest first. */
export const readEarlierTexts = (core: Core, conversationId: string, name: string): Promise<EarlierText[]> =>
  core.store.read(async (tx) => {
    const target = { conversationId: fromHex(conversationId), ...referenceOf(name) }
    const rows = await tx.list(earlierTextTable, { prefix: [targetKey(target)] })
    return rows.map(({ text, sentAtMs }) => ({ text, sentAtMs }))
  })
