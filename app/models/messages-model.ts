import { batch, computed, createModel, signal, type ReadonlySignal } from '@preact/signals'
import type { EngineApi, MessageView } from '../services/engine-api.ts'

export type { MessageView }

/** What a reference leads to, as far as it is known: `undefined` while it is being looked up, `null` when it is not here. */
export type Referred = MessageView | null | undefined

/** 60: two tall screens, so that the first paint needs one read. */
const firstPage = 60
/** 200, the engine's most: fast scrolling through 10,000 messages takes 50 reads. */
const laterPage = 200

/** 60: the list reads on when fewer than 40 stand above what is in sight. */
const roomAbove = 60

/** Where `position` belongs in an ascending list: the first index whose position is not smaller. */
const indexOf = (messages: readonly MessageView[], position: number): number => {
  let low = 0
  let high = messages.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((messages[middle]?.position ?? 0) < position) low = middle + 1
    else high = middle
  }
  return low
}

/** The list with one message added or replaced; display order is kept. */
export const withMessage = (messages: readonly MessageView[], message: MessageView): readonly MessageView[] => {
  const at = indexOf(messages, message.position)
  if (messages[at]?.messageId === message.messageId) return messages.with(at, message)
  const others = messages.filter(({ messageId }) => messageId !== message.messageId)
  return others.toSpliced(indexOf(others, message.position), 0, message)
}

/**
 * The loaded part of one conversation's history: always a run without gaps that ends with the newest message. Older pages
 * are put in front of it as the person scrolls up.
 */
export const MessagesModel = createModel((engine: EngineApi, conversationId: string) => {
  const messages = signal<readonly MessageView[]>([])
  const state = signal<'loading' | 'ready' | 'failed'>('loading')
  const complete = signal(false)
  /** Messages that stand there whole, however long. */
  const unfolded = signal<ReadonlySet<string>>(new Set())
  /** What was referred to and is not loaded; null: it is not here. */
  const found = signal<ReadonlyMap<string, MessageView | null>>(new Map())
  const byId = computed(() => new Map(messages.value.map((message) => [message.messageId, message])))
  const sought = new Set<string>()
  let underWay: Promise<void> | undefined
  /** Changes that were committed while a page was being read: the page may or may not hold them. */
  let meanwhile: MessageView[] = []
  /** Deleted while a page was being read, which may still hold them. */
  let removed: string[] = []

  const merge = (page: readonly MessageView[]) => {
    const first = messages.value[0]
    const inFront = first === undefined ? page : page.filter(({ position }) => position < first.position)
    const all = meanwhile.reduce(withKnown, [...inFront, ...messages.value])
    messages.value = all.filter(({ messageId }) => !removed.includes(messageId))
  }

  const withKnown = (known: readonly MessageView[], message: MessageView): readonly MessageView[] => {
    const first = known[0]
    const older = first !== undefined && message.position < first.position
    return older && !complete.value ? known : withMessage(known, message)
  }

  const readPage = async (limit: number) => {
    const before = messages.value[0]?.position
    try {
      const page = await engine.messages(conversationId, before === undefined ? { limit } : { before, limit })
      batch(() => {
        complete.value = page.length < limit
        merge(page)
        state.value = 'ready'
      })
    } catch {
      state.value = 'failed'
    } finally {
      underWay = undefined
      meanwhile = []
      removed = []
    }
  }

  /** One page at a time. */
  const read = async (limit: number) => {
    if (underWay === undefined && !complete.value) await (underWay = readPage(limit))
  }

  const seek = async (id: string) => {
    if (sought.has(id)) return
    sought.add(id)
    let message: MessageView | undefined
    try {
      message = await engine.message(conversationId, id)
    } catch {
      // Whoever asks again tries again.
      sought.delete(id)
      return
    }
    found.value = new Map(found.value).set(id, message ?? null)
  }

  return {
    /** Ascending. */
    messages: messages as ReadonlySignal<readonly MessageView[]>,
    state: state as ReadonlySignal<'loading' | 'ready' | 'failed'>,
    /** True once the first message of the conversation is loaded. */
    complete: complete as ReadonlySignal<boolean>,
    isEmpty: computed(() => state.value === 'ready' && messages.value.length === 0),

    load: () => read(firstPage),
    loadOlder: () => read(laterPage),

    isUnfolded: (id: string) => unfolded.value.has(id),
    unfold(id: string) {
      unfolded.value = new Set(unfolded.value).add(id)
    },

    /** What a message refers to; it is looked up in the store when it is not loaded. */
    referred(id: string): Referred {
      const loaded = byId.value.get(id)
      if (loaded !== undefined) return loaded
      if (!found.value.has(id)) void seek(id)
      return found.value.get(id)
    },

    /**
     * Loads what is older until this message is there, and enough above it that nothing comes in front while it is brought
     * into sight. @returns false when it is not here.
     */
    async reach(id: string): Promise<boolean> {
      const target = byId.value.get(id) ?? (await engine.message(conversationId, id).catch(() => undefined))
      if (target === undefined) return false
      const above = () => messages.value.findIndex(({ messageId }) => messageId === id)
      while (above() < roomAbove && !complete.value) {
        const before = messages.value.length
        // A page that is being read already is waited for.
        await (underWay ?? read(laterPage))
        if (messages.value.length === before) break
      }
      return above() >= 0
    },

    /** These were deleted on this device. */
    remove(ids: readonly string[]) {
      const gone = new Set(ids)
      if (underWay !== undefined) removed = [...removed, ...ids]
      messages.value = messages.value.filter(({ messageId }) => !gone.has(messageId))
      found.value = new Map([...found.value, ...ids.map((id) => [id, null] as const)])
    },

    /** Takes in a committed change. One that is older than the loaded part is found when that part is read. */
    apply(message: MessageView) {
      if (underWay !== undefined) meanwhile.push(message)
      if (found.value.has(message.messageId)) found.value = new Map(found.value).set(message.messageId, message)
      if (state.value !== 'loading') messages.value = withKnown(messages.value, message)
    },
  }
})
export interface MessagesModel extends InstanceType<typeof MessagesModel> {}
