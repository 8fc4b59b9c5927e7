import { fromHex } from '../../protocol/wire/bytes.ts'
import { contactTable } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import type { Core } from './core.ts'
import { conversationView } from './views.ts'

/** Shows a contact's (hex) conversation as it is now, after something that is not stored has changed about it. */
export const showConversation = async (core: Core, contact: string): Promise<void> => {
  const row = await core.store.read(async (tx) => {
    const known = await tx.get(contactTable, [fromHex(contact)])
    return known && tx.get(conversationTable, [known.conversationId])
  })
  if (row && !row.hidden) core.emit({ kind: 'conversation', conversation: conversationView(row, core.presence) })
}
