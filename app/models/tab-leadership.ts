import { createModel, signal, type ReadonlySignal } from '@preact/signals'

/** What tabs of the app say to each other. */
export type TabMessage =
  /** The person wants to go on in the tab `from`: whoever leads, let go. */
  | { readonly kind: 'yield'; readonly from: string }
  /** The leading tab is going away and nobody asked for its place. */
  | { readonly kind: 'free' }

/** The part of BroadcastChannel that is used here. */
interface TabChannel {
  post(message: TabMessage): void
  onMessage(listener: (message: TabMessage) => void): void
}

export type Leadership = 'asking' | 'leading' | 'elsewhere' | 'taking'

export interface LeadershipInit {
  readonly locks: LockManager
  readonly channel: TabChannel
  /** Tells this tab's own messages from those of others. */
  readonly tabId: string
  readonly lead: () => void
  /** Closes what only the leading tab may have open. */
  readonly letGo: () => Promise<void>
}

const lockName = 'sotto-leading-tab'
/** 800 ms to close the engine: a commit takes milliseconds, and the other tab must show the app within 2 s. */
const letGoDeadlineMs = 800
/** 1.2 s: a living tab has let go by then; one that is frozen or hangs loses its lock. */
const stealAfterMs = 1_200
/** 2 s: the lock of a closing tab is free within one. */
const inheritDeadlineMs = 2_000

const deadline = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Which of several tabs runs the app.
 *
 *     asking ──lock free──> leading <──lock granted or stolen── taking
 *        └──lock held──> elsewhere ────── "Use here" ─────────────┘
 *                            ^── asked to yield, or robbed ── leading
 *
 * 1. Only the holder of the lock leads. 2. A leader lets go of everything before it lets go of the lock. 3. Who was robbed
 * of the lock (it did not answer in time) lets go as soon as it notices; the store keeps two engines apart until then.
 */
export const TabLeadership = createModel(({ locks, channel, tabId, lead, letGo }: LeadershipInit) => {
  const state = signal<Leadership>('asking')
  let release: (() => void) | null = null

  const yieldTo = async () => {
    const free = release
    if (free === null) return
    release = null
    state.value = 'elsewhere'
    await Promise.race([letGo(), deadline(letGoDeadlineMs)]).catch(() => undefined)
    free()
  }

  const hold = (lock: Lock | null): Promise<void> | undefined => {
    if (lock === null) return undefined
    const held = Promise.withResolvers<void>()
    release = held.resolve
    state.value = 'leading'
    lead()
    return held.promise
  }

  /** @returns once the lock was given up again, or false at once when it was not granted. */
  const request = async (options: LockOptions): Promise<boolean> => {
    try {
      return await locks.request(lockName, options, (lock) => hold(lock)?.then(() => true) ?? false)
    } catch {
      // Robbed while leading, or the wait was called off.
      await yieldTo()
      return false
    }
  }

  const tryToLead = async () => {
    const granted = await request({ ifAvailable: true })
    if (!granted && state.value === 'asking') state.value = 'elsewhere'
  }

  const take = async () => {
    if (state.value !== 'elsewhere') return
    state.value = 'taking'
    channel.post({ kind: 'yield', from: tabId })
    await request({ signal: AbortSignal.timeout(stealAfterMs) })
    if (state.value === 'taking') await request({ steal: true })
  }

  channel.onMessage((message) => {
    if (message.kind === 'yield' && message.from !== tabId) void yieldTo()
    if (message.kind === 'free' && state.value === 'elsewhere')
      void request({ signal: AbortSignal.timeout(inheritDeadlineMs) })
  })

  return {
    state: state as ReadonlySignal<Leadership>,
    start: tryToLead,
    /** "Use here". */
    take,
    /** The tab came into view: the leading one may have crashed without a word. */
    look: () => (state.value === 'elsewhere' ? tryToLead() : Promise.resolve()),
    /** The page goes away. */
    leave() {
      if (state.value === 'leading') channel.post({ kind: 'free' })
    },
  }
})
export interface TabLeadership extends InstanceType<typeof TabLeadership> {}
