import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import type { ConversationRow } from './records/conversation.ts'
import { conversationTable } from './records/conversation.ts'
import { openSqliteStore } from './sqlite-store.ts'
import { StoreError } from './store-error.ts'

/** A process that writes three rows into the database of a folder, and says of each how it went. */
const row = (fill: number): ConversationRow => ({
  conversationId: new Uint8Array(16).fill(fill),
  contactId: new Uint8Array(32).fill(fill),
  messages: 0,
  unread: 0,
  lastPosition: 0,
  draft: '',
  nextSequence: 1,
  highestSequence: 0,
  createdAtMs: 1,
  hidden: false,
})

const say = (line: string): void => void writeSync(1, `${line}\n`)

const store = await openSqliteStore({
  directory: process.argv[2] ?? '',
  random: (length) => new Uint8Array(randomBytes(length)),
})
const written: number[] = []
for (const step of [1, 2, 3]) {
  try {
    await store.write(async (tx) => tx.put(conversationTable, row(step)))
    written.push(step)
    say(`step ${step}: done`)
  } catch (cause) {
    say(`step ${step}: ${cause instanceof StoreError ? cause.code : 'unexpected'}`)
  }
}
const kept = await store.read((tx) => tx.list(conversationTable))
if (kept.length !== written.length) say('what is kept is not what was said to be')
store.close()
