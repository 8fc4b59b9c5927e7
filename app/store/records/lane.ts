import { boolean, bytes, optional, struct, uint } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/**
 * A lane into one of this device's own mailboxes. Spare ones (neither contact nor invite) are registered at the relay ahead
 * of need, so that a first answer can carry a lane that already works.
 */
const lane = struct('lane', {
  laneHash: [0, bytes(32)],
  lane: [1, bytes(32)],
  relayKey: [2, bytes(32)],
  mailboxId: [3, bytes(32)],
  contactId: [4, optional(bytes(32))],
  /** The secret of the invite it belongs to. */
  inviteSecret: [5, optional(bytes(32))],
  envelopes: [6, optional(uint())],
  expiresAtMs: [7, optional(uint())],
  /** The relay has it with these limits. */
  registered: [8, boolean],
  createdAtMs: [9, uint()],
})
export type LaneRow = ReturnType<typeof lane.decode>

export const laneTable: Table<LaneRow> = {
  name: 'lanes',
  codec: lane,
  key: (row) => [row.laneHash],
  index: (row) => row.contactId ?? row.inviteSecret ?? spareLanes,
}

/** Index value of lanes that belong to nobody yet. */
export const spareLanes: Uint8Array = Uint8Array.of(0)
