import type { ReadTransaction, WriteTransaction } from '../store/client-store.ts'
import type { ContactRow } from '../store/records/contact.ts'
import { remoteDeviceTable, type RemoteDeviceRow } from '../store/records/remote-device.ts'
import type { Effects } from './effects.ts'

/** The row of a contact's device, or a blank one. */
export const readRemoteDevice = async (
  tx: ReadTransaction,
  contactId: Uint8Array,
  deviceId: Uint8Array,
): Promise<RemoteDeviceRow> =>
  (await tx.get(remoteDeviceTable, [contactId, deviceId])) ?? {
    contactId,
    deviceId,
    signedSeenAtMs: 0,
    handshake: 'none',
    repairs: 0,
    failures: 0,
    countedAtMs: 0,
    toldAgainAtMs: 0,
  }

/** The row of the device that envelopes to this contact go to; undefined while its devices are not known. */
export const readSendingDevice = async (
  tx: ReadTransaction,
  { contactId, devices }: ContactRow,
): Promise<RemoteDeviceRow | undefined> => {
  const [device] = devices
  return device && readRemoteDevice(tx, contactId, device.deviceId)
}

/** Writes down that a handshake is to be made, whatever happens to this engine; a repair comes before a renewal. */
export const wantHandshake = (
  tx: WriteTransaction,
  effects: Effects,
  row: RemoteDeviceRow,
  handshake: 'repair' | 'renewal',
): void => {
  if (row.handshake !== 'repair') tx.put(remoteDeviceTable, { ...row, handshake })
  effects.chores.add('sessions')
}
