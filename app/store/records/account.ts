import { decodeDeviceSecrets, encodeDeviceSecrets, type DeviceSecrets } from '../../../protocol/identity/device.ts'
import { equalBytes } from '../../../protocol/wire/bytes.ts'
import {
  array,
  boolean,
  bytes,
  bytesUpTo,
  multiaddr,
  nested,
  optional,
  struct,
  text,
  uint,
  type Field,
} from '../../../protocol/wire/codec.ts'
import {
  maxAddressesPerRelay,
  maxAddressLength,
  maxLogBytes,
  maxNameLength,
  maxRelaysPerAccount,
} from '../../../protocol/wire/limits.ts'
import type { Table } from '../client-store.ts'

/** A relay this account lives at, with this device's mailbox there. */
const ownRelay = struct('own-relay', {
  relayKey: [0, bytes(32)],
  /** Most preferred first. */
  addresses: [1, array(multiaddr(maxAddressLength), maxAddressesPerRelay)],
  mailboxId: [2, bytes(32)],
  /** What the operator calls it. */
  name: [3, text(64)],
  /** The relay has the account log as it is in this row. */
  logPublished: [4, boolean],
  /** What the mailbox id is the hash of: registers the mailbox, and is told to nobody but this relay. */
  mailboxSecret: [5, bytes(32)],
  /** Contacts have not been told of this mailbox yet, because the relay did not have everything. */
  untold: [6, optional(boolean)],
})
export type OwnRelay = ReturnType<typeof ownRelay.decode>

/** 4 replaced devices are kept: each costs a connection for weeks, and nobody replaces keys that often. */
export const maxRetiredDevices = 4

/** 6 relays that were left are kept: each costs a connection for a month, and this is all of them, changed twice. */
export const maxLeftRelays = 6

/** A relay this account has left, whose mailbox is still collected for what is on its way there. */
const leftRelay = struct('left-relay', {
  relayKey: [0, bytes(32)],
  addresses: [1, array(multiaddr(maxAddressLength), maxAddressesPerRelay)],
  mailboxId: [2, bytes(32)],
  mailboxSecret: [3, bytes(32)],
  leftAtMs: [4, uint()],
})
export type LeftRelay = ReturnType<typeof leftRelay.decode>

/** This one and those that were replaced. */
const maxRemembered = 1 + maxRetiredDevices
let remembered: readonly { bytes: Uint8Array; device: DeviceSecrets }[] = []

/** Decoding computes two public keys (about 2 ms), and every step reads the account: the last ones are remembered. */
const device: Field<DeviceSecrets> = {
  write: encodeDeviceSecrets,
  read: (value, path) => {
    const encoded = bytesUpTo(1_024).read(value, path)
    const known = remembered.find(({ bytes: given }) => equalBytes(given, encoded))
    if (known) return known.device
    const decoded = decodeDeviceSecrets(encoded)
    remembered = [{ bytes: encoded, device: decoded }, ...remembered].slice(0, maxRemembered)
    return decoded
  },
}

/** A device that was replaced, for as long as something sealed to it may still come. */
const retiredDevice = struct('retired-device', {
  device: [0, device],
  /** Its mailboxes, still collected. */
  mailboxes: [
    1,
    array(
      nested(
        struct('retired-mailbox', {
          relayKey: [0, bytes(32)],
          addresses: [1, array(multiaddr(maxAddressLength), maxAddressesPerRelay)],
          mailboxId: [2, bytes(32)],
          mailboxSecret: [3, bytes(32)],
        }),
      ),
      maxRelaysPerAccount + maxLeftRelays,
    ),
  ],
  /** Prekeys below this id are its own, but for those of devices that were replaced before it. */
  untilPrekeyId: [2, uint(0xffff_ffff)],
  retiredAtMs: [3, uint()],
})
export type RetiredDevice = ReturnType<typeof retiredDevice.decode>

/** This device and the account it belongs to; one row, under key 0. */
const account = struct('account', {
  accountId: [0, bytes(32)],
  device: [1, device],
  log: [2, bytesUpTo(maxLogBytes)],
  head: [3, bytes(32)],
  /** Private half of the recovery key, until its words exist. */
  recoverySecret: [4, bytesUpTo(64)],
  name: [5, text(maxNameLength)],
  relays: [6, array(nested(ownRelay), maxRelaysPerAccount)],
  createdAtMs: [7, uint()],
  /** Prekey ids are never repeated, so the counter lives here and only grows. */
  nextPrekeyId: [8, uint(0xffff_ffff)],
  /** Newest protocol version that a signed prekey of this device has told. */
  toldVersion: [9, optional(uint(0xffff))],
  /** When this device's keys were made; absent: with the account. */
  keysSinceMs: [20, optional(uint())],
  /** Earlier devices of this account, eldest first. */
  retired: [21, optional(array(nested(retiredDevice), maxRetiredDevices))],
  /** Contacts have mailboxes of ours that are none any more; they are told as soon as a relay has the new ones. */
  unannounced: [22, optional(boolean)],
  /** Relays this device has left, eldest first. */
  left: [23, optional(array(nested(leftRelay), maxLeftRelays))],
})
export type AccountRow = ReturnType<typeof account.decode>

export const accountTable: Table<AccountRow> = { name: 'account', codec: account, key: () => [0] }
