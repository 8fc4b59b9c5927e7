import { bytes, bytesUpTo, optional, struct, uint } from '../../../protocol/wire/codec.ts'
import { maxEnvelopeBytes } from '../../../protocol/wire/limits.ts'
import type { Table } from '../client-store.ts'

/** An envelope that a newer version made, as it came: for the version that can open it. */
const held = struct('held-envelope', {
  envelopeId: [0, bytes(16)],
  envelope: [1, bytesUpTo(maxEnvelopeBytes)],
  /** Whose it is, by the lane or link it came through; absent: somebody who used an invite. */
  contactId: [2, optional(bytes(32))],
  /** The newest version that could not open it. */
  triedVersion: [3, uint(0xffff)],
  atMs: [4, uint()],
})
export type HeldRow = ReturnType<typeof held.decode>

export const heldTable: Table<HeldRow> = {
  name: 'held',
  codec: held,
  key: (row) => [row.envelopeId],
  index: (row) => row.contactId ?? heldForNobody,
}

/** Index value of envelopes that came through invites. */
export const heldForNobody: Uint8Array = Uint8Array.of(0)
