import { createModel, signal, type ReadonlySignal } from '@preact/signals'
import type { SessionHistory } from './world.ts'

interface Entry {
  readonly conversationId: string
}

const conversationOf = (state: unknown): string | null =>
  typeof state === 'object' && state !== null && 'conversationId' in state && typeof state.conversationId === 'string'
    ? state.conversationId
    : null

/**
 * Which conversation is open. It lives in the state of the session history entry, never in the address: the phone's back
 * gesture closes a conversation, and the browser's history file does not learn who talks to whom.
 *
 * The list is one entry and the open conversation the one above it; switching between conversations replaces the upper one.
 */
export const NavigationModel = createModel((history: SessionHistory) => {
  const conversationId = signal<string | null>(conversationOf(history.state()))
  history.onMove((state) => (conversationId.value = conversationOf(state)))

  return {
    conversationId: conversationId as ReadonlySignal<string | null>,

    open(id: string) {
      if (conversationId.value === id) return
      const entry: Entry = { conversationId: id }
      if (conversationId.value === null) history.push(entry)
      else history.replace(entry)
      conversationId.value = id
    },

    close() {
      if (conversationId.value === null) return
      conversationId.value = null
      history.back()
    },
  }
})
export interface NavigationModel extends InstanceType<typeof NavigationModel> {}
