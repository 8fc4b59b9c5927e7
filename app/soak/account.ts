import type { Status } from './model.ts'

/** One message of a conversation as a screen has it. */
export interface SeenOnScreen {
  readonly text: string
  readonly mine: boolean
  readonly status?: Status
}

/** What accounts tell the run by themselves. */
export interface AccountEvents {
  /** Somebody's message is on this account's screen. */
  arrived(text: string): void
  /** An own message's status. */
  status(text: string, status: Status): void
  /** Acknowledged envelopes that its store does not know. */
  unstored(account: string, ids: readonly string[]): void
  problem(account: string, message: string): void
}

/** Somebody who writes and reads, whatever they run on. Calls that a kill interrupts reject with `Killed`. */
export interface Account {
  readonly kind: 'engine' | 'browser'
  readonly name: string
  readonly isUp: boolean
  /** Begins, or goes on with the data of before. */
  start(): Promise<void>
  onboard(): Promise<void>
  /** The fragment of a fresh invite. */
  invite(): Promise<string>
  accept(fragment: string): Promise<void>
  /** Whether there is a conversation with this name. */
  knows(partner: string): boolean | Promise<boolean>
  /** Writes these in order; `stored` is called for each as soon as it is certain to be stored. */
  send(partner: string, texts: readonly string[], stored: (text: string) => void): Promise<void>
  /** The conversation in display order, whole or (`newest`) its end. */
  read(partner: string, newest?: boolean): Promise<SeenOnScreen[]>
  kill(): Promise<void>
  freeze(): void
  thaw(): void
}
