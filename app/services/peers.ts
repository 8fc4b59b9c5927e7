import type { EngineEvent } from './engine-api.ts'
import type { Work } from './effects.ts'
import type { PresenceState } from './presence.ts'

/** The part of BroadcastChannel that is used here: reaches every other engine on the same database, and not this one. */
export interface PeerChannel {
  post(message: PeerMessage): void
  onMessage(listener: (message: PeerMessage) => void): void
  close(): void
}

/** An engine has opened; `answer`: the others are to greet as well. */
interface Greeting {
  readonly kind: 'here'
  readonly answer: boolean
}

/**
 * What engines of several tabs on one database say to each other. Nothing depends on any of it arriving: whatever must happen
 * stands in the store, and a new leader takes it up from there.
 */
export type PeerNews =
  /** A step was committed: what to show, and what to do for whoever leads. */
  | { readonly kind: 'step'; readonly events: readonly EngineEvent[]; readonly work: Work | null }
  /** From the leader: how contacts and relays are reached, and whether it may encrypt. */
  | { readonly kind: 'presence'; readonly state: PresenceState; readonly confirmed: boolean }
  /** For the leader: the person is typing there. */
  | { readonly kind: 'typing'; readonly conversationId: string }
  /** For the leader: the conversation on screen there. */
  | { readonly kind: 'show'; readonly tab: string; readonly conversationId: string | null }
  /** For the leader: whether the person is at that tab. Said again now and then while they are. */
  | { readonly kind: 'attend'; readonly tab: string; readonly active: boolean }
  /** From a new leader: say again what you show, and whether the person is there. */
  | { readonly kind: 'leading' }

export type PeerMessage = Greeting | PeerNews

export interface Peers {
  /** Posts to the other engines, if there are any. */
  tell(message: PeerMessage): void
  close(): void
}

/**
 * Talks to the other engines. An engine that was alone so far hears of every other one, because each greets when it opens;
 * until then nothing is posted at all.
 */
export const createPeers = (
  channel: PeerChannel | undefined,
  hear: (news: PeerNews) => void,
  onNewcomer: () => void,
): Peers => {
  let alone = true
  channel?.onMessage((message) => {
    alone = false
    if (message.kind !== 'here') return hear(message)
    if (message.answer) channel.post({ kind: 'here', answer: false })
    onNewcomer()
  })
  channel?.post({ kind: 'here', answer: true })
  return {
    tell: (message) => {
      if (!alone) channel?.post(message)
    },
    close: () => channel?.close(),
  }
}
