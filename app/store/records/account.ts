import {
  array,
  boolean,
  bytes,
  bytesUpTo,
  multiaddr,
  nested,
  struct,
  text,
  uint,
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
})
export type OwnRelay = ReturnType<typeof ownRelay.decode>

/** This device and the account it belongs to; one row, under key 0. */
const account = struct('account', {
  accountId: [0, bytes(32)],
  /** `encodeDeviceSecrets`. */
  device: [1, bytesUpTo(1_024)],
  log: [2, bytesUpTo(maxLogBytes)],
  head: [3, bytes(32)],
  /** Private half of the recovery key, until its words exist. */
  recoverySecret: [4, bytesUpTo(64)],
  name: [5, text(maxNameLength)],
  relays: [6, array(nested(ownRelay), maxRelaysPerAccount)],
  createdAtMs: [7, uint()],
  /** Prekey ids are never repeated, so the counter lives here and only grows. */
  nextPrekeyId: [8, uint(0xffff_ffff)],
})
export type AccountRow = ReturnType<typeof account.decode>

export const accountTable: Table<AccountRow> = { name: 'account', codec: account, key: () => [0] }
