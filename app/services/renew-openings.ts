import { dayMs } from '../../protocol/wire/limits.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import { readSendingDevice, wantHandshake } from './remote-devices.ts'
import { undelivered } from './resend.ts'
import { sendingSession } from './sessions.ts'

/** 7 days: a quarter of what a mailbox keeps, so that a lost opening is made up for while the rest still waits. */
const openingLifetimeMs = 7 * dayMs

/** 60 days: an invite's proof is taken for 30, and what was sent on its last day waits for 30 more. */
const invitedForMs = 60 * dayMs

const isOverdue = async (tx: WriteTransaction, core: Core, contact: ContactRow): Promise<boolean> => {
  const now = core.now()
  const session = await sendingSession(tx, contact, now)
  if (session && (session.role === 'responder' || session.confirmed)) return false
  if (session && now - session.createdAtMs <= openingLifetimeMs) return false
  if (session && contact.inviteSecret && now - contact.createdAtMs < invitedForMs) return true
  return (await undelivered(tx, contact.contactId)).some((row) => now - row.createdAtMs > openingLifetimeMs)
}

/**
 * Hourly: a session that the contact has not answered for 7 days is begun again, with fresh prekeys, while something waits in
 * it: the prekeys it names may be gone before the contact comes.
 */
export const renewOpenings = async (tx: WriteTransaction, core: Core, effects: Effects): Promise<void> => {
  for (const contact of await tx.list(contactTable)) {
    if (contact.state !== 'accepted') continue
    const device = await readSendingDevice(tx, contact)
    if (device && (await isOverdue(tx, core, contact))) wantHandshake(tx, effects, device, 'renewal')
  }
}
