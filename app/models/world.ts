import type { ReadonlySignal } from '@preact/signals'

/** How far a session of the app has come; `lost`: an account was stored here once and is not any more. */
export type Phase = 'starting' | 'storage-failed' | 'lost' | 'onboarding' | 'ready'

/** What the session history can do for us; `main.tsx` hands in the browser's. */
export interface SessionHistory {
  /** The state of the current entry. */
  state(): unknown
  push(state: unknown): void
  replace(state: unknown): void
  back(): void
  /** Called when the person goes back or forward. */
  onMove(listener: (state: unknown) => void): void
}

/**
 * Whether this browser was ever given an account, kept apart from the account itself: browsers have been seen to lose
 * a whole database, and a person who had an account must be told so instead of being greeted as new. It says nothing else.
 */
export interface AccountMark {
  isSet(): boolean
  set(): void
}

/** Everything outside the models that they may touch: only `main.tsx` knows the real page. */
export interface World {
  /** Unix milliseconds; ticks often enough for relative times. */
  readonly now: ReadonlySignal<number>
  /** False while the tab is hidden: nothing counts as read then. */
  readonly visible: ReadonlySignal<boolean>
  /** Whether the person is at this tab: it is visible, and was touched within the last minutes. */
  readonly active: ReadonlySignal<boolean>
  /** What the browser says about its network. */
  readonly online: ReadonlySignal<boolean>
  /** Address of the app without fragment; an invite's fragment is appended to it. */
  readonly appUrl: string
  readonly version: string
  /** True where fields are filled by an on-screen keyboard: nothing takes the focus by itself there. */
  readonly touch: boolean
  readonly history: SessionHistory
  readonly accountMark: AccountMark
  /** Relay addresses this page's host or address offers; empty when the person must give one. Asked at onboarding only. */
  findRelays(): Promise<readonly string[]>
  /** Puts text on the clipboard. Rejects when the browser refuses. */
  copy(text: string): Promise<void>
  /** Saves text as a file of this name, where the browser saves files. */
  saveText(name: string, text: string): void
  /** Opens the system's own share sheet; absent where there is none. */
  readonly share?: (url: string) => Promise<void>
  /** Asks the browser to keep our storage when space runs low; the answer stands in the diagnostics. */
  keepStorage(): Promise<boolean>
  /** Video of the rear camera. Rejects with a DOMException when there is none or it is denied. */
  openCamera(): Promise<MediaStream>
  /** Starts the page afresh, e.g. after everything was forgotten. */
  restart(): void
}
