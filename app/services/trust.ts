import type { DeviceRecord } from '../../protocol/identity/device.ts'
import { equalBytes } from '../../protocol/wire/bytes.ts'
import type { ContactRow } from '../store/records/contact.ts'

/** Whether two lists hold the same devices with the same keys, in whatever order. */
export const sameDevices = (a: readonly DeviceRecord[], b: readonly DeviceRecord[]): boolean =>
  a.length === b.length &&
  a.every((one) =>
    b.some((other) => equalBytes(one.deviceKey, other.deviceKey) && equalBytes(one.identityKey, other.identityKey)),
  )

/**
 * Whether the contact was verified and has other keys since. Until the person has said yes, nothing is encrypted for it,
 * receipts and names included, and no direct link is opened.
 */
export const isHeld = ({ verification, devices }: ContactRow): boolean =>
  verification !== undefined && verification.devices.length > 0 && !sameDevices(verification.devices, devices)

/** As a conversation shows it; undefined: not verified. */
export const verificationOf = (contact: ContactRow): 'verified' | 'changed' | undefined => {
  if (!contact.verification) return undefined
  return isHeld(contact) ? 'changed' : 'verified'
}
