import { fromHex } from '../../protocol/wire/bytes.ts'
import { messageIndex, messageTable } from '../store/records/message.ts'
import type { Core } from './core.ts'
import type { MessageView } from './engine-api.ts'
import { messageView, referenceOf } from './views.ts'

/** 200 messages per page (EngineApi): more than any screen holds. */
const maxPage = 200

export const readMessages = async (
  core: Core,
  conversationId: string,
  { before, after, limit }: { before?: number; after?: number; limit: number },
): Promise<MessageView[]> => {
  const bounds = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }
  const reverse = after === undefined
  const range = { prefix: [fromHex(conversationId)], ...bounds, limit: Math.min(limit, maxPage), reverse }
  const rows = await core.store.read((tx) => tx.list(messageTable, range))
  const views = rows.map(messageView)
  return reverse ? views.reverse() : views
}

export const readMessage = async (
  core: Core,
  conversationId: string,
  name: string,
): Promise<MessageView | undefined> => {
  const { messageId, mine } = referenceOf(name)
  const index = messageIndex(fromHex(conversationId), mine, messageId)
  const row = await core.store.read((tx) => tx.find(messageTable, index))
  return row && messageView(row)
}
