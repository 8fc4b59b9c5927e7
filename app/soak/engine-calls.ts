import type { Status } from './model.ts'

/** What the run asks of an engine's process, and what that tells the run: plain values over the channel of a forked process. */

/** Names of the deliberate faults, each of which a run must notice. */
export const mutants = [
  'acknowledge-before-commit',
  'no-dedup',
  'encrypt-outside-transaction',
  'deaf-until-restart',
] as const
export type Mutant = (typeof mutants)[number]

/** The one argument of an engine's process, as JSON. */
export interface EngineOrder {
  /** Holds the database and the journals; outlives every kill. */
  readonly directory: string
  /** Multiaddrs of the relay to live at. Whatever else the relay says of itself is not used: the way must be the one given. */
  readonly addresses: readonly string[]
  /** Account ids (hex) to which direct links are dialled; everybody else gets what goes by relay. */
  readonly directWith: readonly string[]
  /** Whether everything that arrives counts as seen. */
  readonly reads: boolean
  readonly mutant?: Mutant
}

export interface MessageOnScreen {
  readonly messageId: string
  readonly mine: boolean
  readonly text: string
  readonly status?: Status
}

interface ConversationOnScreen {
  readonly conversationId: string
  readonly name: string
}

/** Every call answers when what it did is committed. */
export interface EngineCalls {
  /** The account's id. An account that is there already is the answer. */
  createAccount(name: string): Promise<string>
  /** The fragment of a fresh invite. */
  invite(): Promise<string>
  accept(fragment: string): Promise<void>
  conversations(): Promise<ConversationOnScreen[]>
  send(conversationId: string, text: string): Promise<void>
  /** In display order: all, or only the newest page of 200. */
  messages(conversationId: string, newest: boolean): Promise<MessageOnScreen[]>
  setDirect(accountIds: readonly string[]): Promise<void>
  /** How far this engine's clock is from the true one. */
  setClock(offsetMs: number): Promise<void>
  /** How things stand with its relays and with whom this conversation is, and the last lines of its diagnostics. */
  diagnose(conversationId: string): Promise<string[]>
  /** Closes the store in order. */
  close(): Promise<void>
}

export interface CallMessage {
  readonly id: number
  readonly call: keyof EngineCalls
  readonly args: readonly unknown[]
}

export type EngineMessage =
  /** Open and working. `unstored`: envelopes (hex ids) acknowledged in an earlier life, of which the store knows nothing. */
  | { readonly kind: 'ready'; readonly unstored: readonly string[] }
  | { readonly kind: 'answer'; readonly id: number; readonly value?: unknown; readonly failure?: string }
  | { readonly kind: 'arrived'; readonly text: string }
  | { readonly kind: 'status'; readonly text: string; readonly status: Status }
  | { readonly kind: 'conversation'; readonly name: string; readonly conversationId: string }
  | { readonly kind: 'problem'; readonly message: string }
