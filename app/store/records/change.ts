import { concatBytes } from '../../../protocol/wire/bytes.ts'
import { boolean, bytes, bytesUpTo, struct, text, uint } from '../../../protocol/wire/codec.ts'
import { maxEnvelopeBytes, maxTextBytes } from '../../../protocol/wire/limits.ts'
import type { Table } from '../client-store.ts'

/** A message by its conversation, side and id: what a change concerns. */
interface Target {
  readonly conversationId: Uint8Array
  readonly mine: boolean
  readonly messageId: Uint8Array
}

const targetFields = {
  conversationId: [0, bytes(16)],
  /** Whose message it is. */
  mine: [1, boolean],
  messageId: [2, bytes(16)],
} as const

/** Conversation, side and id as one part of a key. */
export const targetKey = ({ conversationId, mine, messageId }: Target): Uint8Array =>
  concatBytes(conversationId, Uint8Array.of(mine ? 1 : 0), messageId)

/** A change of ours of which no receipt has come: what its outbox row says, should it have to be encrypted again. */
const ownChange = struct('own-change', {
  contactId: [0, bytes(32)],
  /** Its own id, not that of the message it concerns. */
  messageId: [1, bytes(16)],
  outboxNumber: [2, uint()],
  sentAtMs: [3, uint()],
  /** Body as on the wire (`protocol/content/body.ts`). */
  code: [4, uint(0xffff)],
  raw: [5, bytesUpTo(maxEnvelopeBytes)],
})
export type OwnChangeRow = ReturnType<typeof ownChange.decode>

export const ownChangeTable: Table<OwnChangeRow> = {
  name: 'ownChanges',
  codec: ownChange,
  key: (row) => [row.contactId, row.messageId],
}

/** A change by the contact that came before the message it concerns: one of each kind, the newest. */
const earlyChange = struct('early-change', {
  ...targetFields,
  code: [3, uint(0xffff)],
  raw: [4, bytesUpTo(maxEnvelopeBytes)],
  /** Sender's clock, but never in this device's future when it was stored. */
  sentAtMs: [5, uint()],
  atMs: [6, uint()],
})
export type EarlyChangeRow = ReturnType<typeof earlyChange.decode>

export const earlyChangeTable: Table<EarlyChangeRow> = {
  name: 'earlyChanges',
  codec: earlyChange,
  key: (row) => [row.conversationId, targetKey(row), row.code],
}

/** What a message said before an edit. */
const earlierText = struct('earlier-text', {
  ...targetFields,
  /** 0: as it was written first. */
  revision: [3, uint()],
  text: [4, text(maxTextBytes)],
  /** When it said so. */
  sentAtMs: [5, uint()],
})
export type EarlierTextRow = ReturnType<typeof earlierText.decode>

export const earlierTextTable: Table<EarlierTextRow> = {
  name: 'earlierTexts',
  codec: earlierText,
  key: (row) => [targetKey(row), row.revision],
}

/** A message that was deleted on this device: another copy of it, or a change to it, brings nothing back. */
const removed = struct('removed', targetFields)

export const removedTable: Table<ReturnType<typeof removed.decode>> = {
  name: 'removed',
  codec: removed,
  key: (row) => [targetKey(row)],
}
