import type { WriteTransaction } from '../store/client-store.ts'
import { contactTable } from '../store/records/contact.ts'
import { outboxTable } from '../store/records/outbox.ts'
import { sessionTable } from '../store/records/session.ts'
import type { Core } from './core.ts'
import { advance } from './delivery.ts'
import type { Effects } from './effects.ts'
import { withReceiveOnly } from './retired-devices.ts'

/**
 * No session that there is sends anything more, and what nobody has receipted is encrypted anew: contacts who close their
 * ends lose nothing, and a message that arrives twice is known by its id.
 */
export const closeSessions = async (tx: WriteTransaction, core: Core, effects: Effects): Promise<void> => {
  for (const contact of await tx.list(contactTable)) {
    const rows = await tx.list(sessionTable, { prefix: [contact.contactId] })
    const closed = rows.map((row) => row.sessionId)
    tx.put(contactTable, withReceiveOnly(contact, closed))
  }
  for (const row of await tx.list(outboxTable)) await advance(tx, core, effects, row, { kind: 'closed' })
}
