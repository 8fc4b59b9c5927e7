import { bytes, struct } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** The account id all other rows are sealed for; one row, under key 0. */
const owner = struct('owner', { accountId: [0, bytes(32)] })
export type OwnerRow = ReturnType<typeof owner.decode>

export const ownerTable: Table<OwnerRow> = { name: 'owner', codec: owner, key: () => [0], beforeAccount: true }
