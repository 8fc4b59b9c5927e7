import { createModel, signal, type ReadonlySignal } from '@preact/signals'

/** What tabs of the app say to each other. */
export type TabMessage =
  /** Is somebody leading? */
  | { readonly kind: 'ping' }
  /** The leading tab is alive. */
  | { readonly kind: 'pong' }
  /** The tab `from` must lead: whoever does, let go. */
  | { readonly kind: 'yield'; readonly from: string }
  /** Everything is let go; the lock may be taken. */
  | { readonly kind: 'yielded'; readonly to: string }

/** The part of BroadcastChannel that is used here. */
interface TabChannel {
  post(message: TabMessage): void
  onMessage(listener: (message: TabMessage) => void): void
}

export interface LeadershipInit {
  readonly locks: LockManager
  readonly channel: TabChannel
  /** Tells this tab's own messages from those of others. */
  readonly tabId: string
  /** Connects; the tabs before it have let go, or were found to be stopped. */
  readonly lead: () => Promise<void>
  /** Disconnects. */
  readonly letGo: () => Promise<void>
}

const lockName = 'sotto-leading-tab'
/**
 * 700 ms: a page that lives answers within a frame or two. With the connection that follows, a message written in another tab
 * leaves within 2 s of the leader's end. A living leader that is only slow loses the lead and nothing else.
 */
const answerWithinMs = 700
/** 1 s: disconnecting takes some 100 ms; a leader that hangs loses its lock. */
const letGoWithinMs = 1_000

/**
 * Which of several tabs uses the network. All of them show the app.
 *
 *     following ──lock granted (its holder left), or stolen (it does not answer, or was asked)──> leading
 *         ^──────────────────────── robbed, or superseded at the store ─────────────────────────────┘
 *
 * 1. Who leads holds the lock. 2. A lock is stolen only from a tab that gave no sign in time, or that has let go. 3. Who was
 * robbed lets go as soon as it notices, and queues again; the store refuses what it writes until then (`store/fenced-store.ts`).
 */
export const TabLeadership = createModel(({ locks, channel, tabId, lead, letGo }: LeadershipInit) => {
  const leading = signal(false)
  let release: (() => void) | null = null
  /** Takes this tab's request out of the queue of the lock. */
  let leaveQueue: AbortController | null = null
  let heard: (() => void) | null = null
  let checking: Promise<void> | null = null
  /** Wait for this tab to lead, with everything that belongs to it. */
  const waiting: (() => void)[] = []

  const hold = async (): Promise<void> => {
    const held = Promise.withResolvers<void>()
    release = held.resolve
    leading.value = true
    // A lead that cannot be begun is no reason to let go: the page says why.
    await lead().catch(() => undefined)
    for (const resolve of waiting.splice(0)) resolve()
    await held.promise
  }

  const end = async () => {
    if (!leading.value) return
    leading.value = false
    await letGo().catch(() => undefined)
    release?.()
    release = null
  }

  /** Waits for the lock as long as it takes; robbed of it, waits again. */
  const queue = async (): Promise<void> => {
    for (;;) {
      const place = new AbortController()
      leaveQueue = place
      try {
        await locks.request(lockName, { signal: place.signal }, hold)
      } catch {
        await end()
      }
      // Somebody else's turn to wait: `seize` queues again when it has ended.
      if (place.signal.aborted) return
    }
  }

  const seize = async () => {
    leaveQueue?.abort()
    try {
      await locks.request(lockName, { steal: true }, hold)
    } catch {
      await end()
    }
    void queue()
  }

  /** Asks and waits for the answer that `heard` brings; false: none came in time. */
  const ask = async (message: TabMessage, withinMs: number): Promise<boolean> => {
    const answer = Promise.withResolvers<boolean>()
    const timer = setTimeout(() => answer.resolve(false), withinMs)
    heard = () => answer.resolve(true)
    channel.post(message)
    const came = await answer.promise
    clearTimeout(timer)
    heard = null
    return came
  }

  const lookForLeader = async () => {
    const alive = await ask({ kind: 'ping' }, answerWithinMs)
    if (!alive && !leading.value) void seize()
  }

  channel.onMessage((message) => {
    switch (message.kind) {
      case 'ping':
        if (leading.value) channel.post({ kind: 'pong' })
        return
      case 'pong':
        return heard?.()
      case 'yield':
        if (leading.value) void end().then(() => channel.post({ kind: 'yielded', to: message.from }))
        return
      case 'yielded':
        if (message.to === tabId) heard?.()
    }
  })

  return {
    leading: leading as ReadonlySignal<boolean>,
    /** Leads as soon as nobody else does. */
    start: () => void queue(),
    /** The person does something that needs a leader: makes sure that one is alive, and else leads. */
    check: (): Promise<void> => {
      if (leading.value) return Promise.resolve()
      return (checking ??= lookForLeader().finally(() => (checking = null)))
    },
    /** This tab must lead; resolves once it does. */
    take: async (): Promise<void> => {
      await checking
      if (leading.value) return
      const led = new Promise<void>((resolve) => void waiting.push(resolve))
      await ask({ kind: 'yield', from: tabId }, letGoWithinMs)
      if (!leading.value) void seize()
      await led
    },
    /** The store says that another tab leads. */
    superseded: () => void end(),
  }
})
export interface TabLeadership extends InstanceType<typeof TabLeadership> {}
