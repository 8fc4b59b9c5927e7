import type { DeviceSecrets } from '../../protocol/identity/device.ts'
import { dayMs } from '../../protocol/wire/limits.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { accountTable, type AccountRow } from '../store/records/account.ts'
import { maxReceiveOnly, type ContactRow } from '../store/records/contact.ts'
import { prekeyTable, prekeyKey } from '../store/records/prekey.ts'

/**
 * 60 days: a lane into an old mailbox works for 30 days after it was last confirmed and 30 more, so whoever still knows only
 * that one has by then no way left to write through it.
 */
const retiredLifetimeMs = 60 * dayMs

/** The device of ours that a prekey belongs to: ids only grow, so each device has those below its end. */
export const deviceOfPrekey = ({ device, retired = [] }: AccountRow, prekeyId: number): DeviceSecrets =>
  retired.find(({ untilPrekeyId }) => prekeyId < untilPrekeyId)?.device ?? device

/** The contact with sessions that from now on only receive. */
export const withReceiveOnly = (contact: ContactRow, sessionIds: readonly Uint8Array[]): ContactRow =>
  sessionIds.length === 0
    ? contact
    : { ...contact, receiveOnly: [...(contact.receiveOnly ?? []), ...sessionIds].slice(-maxReceiveOnly) }

/** Hourly: forgets replaced devices for which nothing can come any more, with their prekeys. */
export const sweepRetiredDevices = async (tx: WriteTransaction, account: AccountRow, now: number): Promise<void> => {
  const { retired = [] } = account
  const kept = retired.filter(({ retiredAtMs }) => now - retiredAtMs <= retiredLifetimeMs)
  if (kept.length === retired.length) return
  const untilPrekeyId = Math.max(...retired.filter((one) => !kept.includes(one)).map((one) => one.untilPrekeyId))
  for (const { id } of await tx.list(prekeyTable)) if (id < untilPrekeyId) tx.delete(prekeyTable, prekeyKey(id))
  tx.put(accountTable, { ...account, retired: kept })
}
