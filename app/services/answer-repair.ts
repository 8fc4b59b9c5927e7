import { preferredSession, type Session } from '../../protocol/session/session.ts'
import { equalBytes } from '../../protocol/wire/bytes.ts'
import { hourMs } from '../../protocol/wire/limits.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { remoteDeviceTable } from '../store/records/remote-device.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import { requireAccount } from './identity.ts'
import { readRemoteDevice, wantHandshake } from './remote-devices.ts'
import { renew, rowsOf } from './resend.ts'
import { dispatchControl, sendingSession } from './sessions.ts'
import { sinceMs } from './timers.ts'

/** The other side of a repair: what is done for a contact that has lost its session. */

/**
 * Whether a fresh session begun by the contact stands below the one we send on: then the contact has lost that one, and
 * is answered by a new session above both. True: that is on its way, and nothing is to be sent before it.
 */
export const answerAbove = async (
  tx: WriteTransaction,
  effects: Effects,
  contact: ContactRow,
  { before, fresh }: { before: Session | undefined; fresh: Session },
): Promise<boolean> => {
  if (!before || !equalBytes(before.remoteDeviceId, fresh.remoteDeviceId)) return false
  // Our own that was never answered is passed over by itself.
  if (before.role === 'initiator' && !before.confirmed) return false
  if (preferredSession([before, fresh]) === fresh) return false
  const device = await readRemoteDevice(tx, contact.contactId, fresh.remoteDeviceId)
  wantHandshake(tx, effects, device, 'repair')
  return true
}

/** The contact asks, on `session`, for what was in these envelopes. */
export const answerRepair = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  contactId: Uint8Array,
  session: Session,
  envelopeIds: readonly Uint8Array[],
): Promise<void> => {
  const contact = await tx.get(contactTable, [contactId])
  if (contact?.state !== 'accepted') return
  const sending = await sendingSession(tx, contact, core.now())
  // To a device that is listed still, and only on what the asking one certainly has: the session it asked on, or one begun since.
  const isThere =
    sending && (equalBytes(sending.sessionId, session.sessionId) || sending.createdAtMs > session.createdAtMs)
  if (!isThere) return
  const account = await requireAccount(tx)
  const rows = await rowsOf(tx, core, contactId, envelopeIds)
  await renew(tx, core, account, contact, rows, true, effects)
  if (rows.length === envelopeIds.length) return
  // What has no row was delivered by another way, or was a control: name and lanes are told again, once an hour.
  const device = await readRemoteDevice(tx, contactId, session.remoteDeviceId)
  if (sinceMs(core.now(), device.toldAgainAtMs) < hourMs) return
  tx.put(remoteDeviceTable, { ...device, toldAgainAtMs: core.now() })
  await dispatchControl(tx, core, account, contact, { kind: 'profile' }, effects)
}
