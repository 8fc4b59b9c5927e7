import { bytes, optional, struct, uint } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** An invite this person made. */
const invite = struct('invite', {
  secret: [0, bytes(32)],
  createdAtMs: [1, uint()],
  expiresAtMs: [2, uint()],
  /** Account whose proof came first; later ones are requests. */
  usedBy: [3, optional(bytes(32))],
})
export type InviteRow = ReturnType<typeof invite.decode>

export const inviteTable: Table<InviteRow> = { name: 'invites', codec: invite, key: (row) => [row.secret] }
