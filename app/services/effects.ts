import { toHex } from '../../protocol/wire/bytes.ts'
import type { ConversationRow } from '../store/records/conversation.ts'
import type { MessageRow } from '../store/records/message.ts'
import type { EngineEvent } from './engine-api.ts'

/** Work that a committed step leaves for the background. */
export type Chore = 'continuity' | 'publish' | 'mailboxes' | 'sessions' | 'repairs' | 'prekeys' | 'contacts'

/** What the leading engine does after a step, whichever engine committed it. Survives structured cloning. */
export interface Work {
  /** Outbox rows to be offered, by contact (hex). */
  readonly outbox: Map<string, number[]>
  /** Outbox rows that are gone, by contact (hex). */
  readonly gone: Map<string, number[]>
  /** Contacts (hex) that are owed receipts. */
  readonly receipts: Set<string>
  readonly chores: Set<Chore>
  /** Contacts (hex) who have just said something and so are not typing. */
  readonly quiet: Set<string>
  /** Contacts (hex) whose devices or lanes may have changed. */
  readonly routes: Set<string>
  /** Contacts (hex) who have told a mailbox that was not known: attempts at the old ones are not waited for. */
  readonly moved: Set<string>
  /** Contacts (hex) the person does not want to wait for: pauses after failures end. */
  readonly hurried: Set<string>
}

/** What is to happen once, and only if, a step is on disk. */
export interface Effects extends Work {
  readonly messages: Map<string, { readonly row: MessageRow; readonly isNew: boolean }>
  readonly conversations: Map<string, ConversationRow>
  readonly events: EngineEvent[]
}

export const createEffects = (): Effects => ({
  messages: new Map(),
  conversations: new Map(),
  events: [],
  outbox: new Map(),
  gone: new Map(),
  receipts: new Set(),
  chores: new Set(),
  quiet: new Set(),
  routes: new Set(),
  moved: new Set(),
  hurried: new Set(),
})

/** The part of the effects that is for the leading engine. */
export const workOf = ({ outbox, gone, receipts, chores, quiet, routes, moved, hurried }: Effects): Work => ({
  outbox,
  gone,
  receipts,
  chores,
  quiet,
  routes,
  moved,
  hurried,
})

export const noteMessage = (effects: Effects, row: MessageRow, isNew: boolean): void => {
  const id = `${toHex(row.messageId)}${row.mine ? '+' : '-'}`
  const earlier = effects.messages.get(id)
  effects.messages.set(id, { row, isNew: isNew || earlier?.isNew === true })
}

export const noteConversation = (effects: Effects, row: ConversationRow): void => {
  effects.conversations.set(toHex(row.conversationId), row)
}

const addNumber = (to: Map<string, number[]>, contactId: Uint8Array, number: number): void => {
  const contact = toHex(contactId)
  const numbers = to.get(contact)
  if (numbers) numbers.push(number)
  else to.set(contact, [number])
}

/** The row is to be offered. */
export const noteOutbox = (effects: Effects, contactId: Uint8Array, number: number): void =>
  addNumber(effects.outbox, contactId, number)

/** The row is gone: there is nothing left to offer. */
export const noteGone = (effects: Effects, contactId: Uint8Array, number: number): void =>
  addNumber(effects.gone, contactId, number)
