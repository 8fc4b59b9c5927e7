import type { DeviceRecord } from './device.ts'
import type { RelayRecord } from './log-entry.ts'

/** What the entries of a verified account log add up to. */
export interface AccountView {
  /** 32 bytes: SHA-256 of the genesis body. */
  readonly accountId: Uint8Array
  /** 32 bytes: SHA-256 of the last body; equals `accountId` in a log of one entry. */
  readonly head: Uint8Array
  /** Number of entries. */
  readonly length: number
  readonly devices: readonly DeviceRecord[]
  readonly relays: readonly RelayRecord[]
}
