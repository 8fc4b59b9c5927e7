import type { IDBPDatabase } from 'idb'
import type { Table } from './client-store.ts'
import { lockStore } from './device-lock.ts'
import { accountTable } from './records/account.ts'
import { earlierTextTable, earlyChangeTable, ownChangeTable, removedTable } from './records/change.ts'
import { contactTable } from './records/contact.ts'
import { continuityTable } from './records/continuity.ts'
import { conversationTable } from './records/conversation.ts'
import { diagnosticTable } from './records/diagnostic.ts'
import { envelopeTable } from './records/envelope.ts'
import { failureTable } from './records/failure.ts'
import { handshakeTable } from './records/handshake.ts'
import { heldTable } from './records/held.ts'
import { inviteTable } from './records/invite.ts'
import { laneTable } from './records/lane.ts'
import { leadershipTable } from './records/leadership.ts'
import { messageTable } from './records/message.ts'
import { outboxTable } from './records/outbox.ts'
import { ownerTable } from './records/owner.ts'
import { prekeyTable } from './records/prekey.ts'
import { publicationTable } from './records/publication.ts'
import { receiptTable } from './records/receipt.ts'
import { remoteDeviceTable } from './records/remote-device.ts'
import { sessionTable } from './records/session.ts'
import { settingsTable } from './records/settings.ts'

/** A table whatever its rows are. */
export type AnyTable = Table<unknown>

/** Tables of version 1, as released. */
const firstTables: readonly AnyTable[] = [
  ownerTable,
  accountTable,
  settingsTable,
  prekeyTable,
  publicationTable,
  laneTable,
  inviteTable,
  contactTable,
  sessionTable,
  handshakeTable,
  conversationTable,
  messageTable,
  outboxTable,
  receiptTable,
  envelopeTable,
  diagnosticTable,
]

/** Tables of version 2: repairing sessions, and envelopes of newer versions. */
const secondTables: readonly AnyTable[] = [remoteDeviceTable, failureTable, heldTable]

/** Tables of version 3: several tabs, and copies of a profile. */
const thirdTables: readonly AnyTable[] = [leadershipTable, continuityTable]

/** Tables of version 4: what becomes of a message after it was sent. */
const fourthTables: readonly AnyTable[] = [ownChangeTable, earlyChangeTable, earlierTextTable, removedTable]

export const tables: readonly AnyTable[] = [...firstTables, ...secondTables, ...thirdTables, ...fourthTables]

/** Index `x` is there in every store: one shape for all, and an unused index costs nothing. */
const createTables = (database: IDBPDatabase, added: readonly AnyTable[]): void => {
  for (const table of added) database.createObjectStore(table.name).createIndex('x', 'x')
}

/** A later version adds a step and never edits an earlier one: every released database must still open. */
const upgrades: readonly ((database: IDBPDatabase) => void)[] = [
  (database) => {
    database.createObjectStore(lockStore)
    createTables(database, firstTables)
  },
  (database) => createTables(database, secondTables),
  (database) => createTables(database, thirdTables),
  (database) => createTables(database, fourthTables),
]

export const schemaVersion = upgrades.length

/** Brings a database of `oldVersion` (0: new) to `version` (@default the current one), one step per version. */
export const upgradeSchema = (database: IDBPDatabase, oldVersion: number, version = schemaVersion): void => {
  for (const upgrade of upgrades.slice(oldVersion, version)) upgrade(database)
}
