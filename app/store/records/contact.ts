import {
  array,
  boolean,
  bytes,
  bytesUpTo,
  multiaddr,
  nested,
  oneOf,
  optional,
  struct,
  text,
  uint,
} from '../../../protocol/wire/codec.ts'
import {
  maxAddressesPerRelay,
  maxAddressLength,
  maxDevicesPerAccount,
  maxLogBytes,
  maxNameLength,
  maxRelaysPerAccount,
} from '../../../protocol/wire/limits.ts'
import type { Table } from '../client-store.ts'
import { double } from './fields.ts'

const device = struct('contact-device', {
  deviceId: [0, bytes(16)],
  deviceKey: [1, bytes(32)],
  identityKey: [2, bytes(32)],
})

const mailbox = struct('contact-mailbox', {
  relayKey: [0, bytes(32)],
  addresses: [1, array(multiaddr(maxAddressLength), maxAddressesPerRelay)],
  mailboxId: [2, bytes(32)],
  lane: [3, bytes(32)],
  /** From an invite of this contact that we opened later: nothing has shown yet that it leads to them. */
  unproven: [4, optional(boolean)],
})

/** What the person said they have compared. */
const verification = struct('contact-verification', {
  atMs: [0, uint()],
  /** Head of the contact's log at that moment. */
  head: [1, bytes(32)],
  /** The devices that were verified; empty while the contact's log was not known yet. */
  devices: [2, array(nested(device), maxDevicesPerAccount)],
})

/** 16: twice the sessions a contact may have; the older ids name sessions that are gone. */
export const maxReceiveOnly = 16

/** An account one talks to, or that asks to. */
const contact = struct('contact', {
  contactId: [0, bytes(32)],
  conversationId: [1, bytes(16)],
  /** `request`: a stranger, or a second use of an invite; kept, not shown, never answered. */
  state: [2, oneOf({ accepted: 0, request: 1 })],
  name: [3, optional(text(maxNameLength))],
  /** Empty until the account log was fetched or arrived. */
  log: [4, bytesUpTo(maxLogBytes)],
  /** Last head seen and verified; before that, the invite's. */
  head: [5, bytes(32)],
  devices: [6, array(nested(device), maxDevicesPerAccount)],
  /** Where to bring envelopes: the contact's lanes, or the invite's until those came. */
  mailboxes: [7, array(nested(mailbox), maxRelaysPerAccount * maxDevicesPerAccount + maxRelaysPerAccount)],
  /** The mailboxes are still the invite's. */
  inviteLanes: [8, boolean],
  /** The invite we accepted, until the contact answered: its proof goes into every opening. */
  inviteSecret: [9, optional(bytes(32))],
  /** A head was announced that does not stand in `log`: it must be fetched. */
  logStale: [10, boolean],
  /** How far their clock is behind ours, with the shortest delay seen, in ms; negative when ahead. */
  clockOffsetMs: [11, optional(double)],
  clockMeasuredAtMs: [12, optional(uint())],
  /** Number of the next outbox row; only grows. */
  nextOutbox: [13, uint()],
  createdAtMs: [14, uint()],
  /** Present while the contact is verified, or was until its devices changed (`services/trust.ts`). */
  verification: [20, optional(nested(verification))],
  /** Sessions of a device of ours that was replaced since: they still open what comes, and send nothing. */
  receiveOnly: [21, optional(array(bytes(16), maxReceiveOnly))],
  /** The head that was announced; absent: none that does not stand in `log`. */
  announcedHead: [22, optional(bytes(32))],
  /** Head of the contact's log when it told the mailboxes: what it said before that counts no more. */
  mailboxesHead: [23, optional(bytes(32))],
  /** Two valid logs of this account have been seen that contradict each other. */
  forked: [24, optional(boolean)],
  /** Number of the outbox row that tells our lanes through the unproven mailboxes. */
  unprovenRow: [25, optional(uint())],
  /** When the last envelope of this contact was opened; Unix milliseconds. */
  heardAtMs: [26, optional(uint())],
})
export type ContactRow = ReturnType<typeof contact.decode>

export const contactTable: Table<ContactRow> = { name: 'contacts', codec: contact, key: (row) => [row.contactId] }
