import { batch, computed, createModel, signal, type ReadonlySignal } from '@preact/signals'
import type { EngineApi, MessageView } from '../services/engine-api.ts'

export type { MessageView }

/** 60: two tall screens, so that the first paint needs one read. */
const firstPage = 60
/** 200, the engine's most: fast scrolling through 10,000 messages takes 50 reads. */
const laterPage = 200

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
  let reading = false
  /** Changes that were committed while a page was being read: the page may or may not hold them. */
  let meanwhile: MessageView[] = []

  const merge = (page: readonly MessageView[]) => {
    const first = messages.value[0]
    const inFront = first === undefined ? page : page.filter(({ position }) => position < first.position)
    messages.value = meanwhile.reduce(withKnown, [...inFront, ...messages.value])
  }

  const withKnown = (known: readonly MessageView[], message: MessageView): readonly MessageView[] => {
    const first = known[0]
    const older = first !== undefined && message.position < first.position
    return older && !complete.value ? known : withMessage(known, message)
  }

  const read = async (limit: number) => {
    if (reading || complete.value) return
    reading = true
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
      reading = false
      meanwhile = []
    }
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

    /** Takes in a committed change. One that is older than the loaded part is found when that part is read. */
    apply(message: MessageView) {
      if (reading) meanwhile.push(message)
      if (state.value !== 'loading') messages.value = withKnown(messages.value, message)
    },
  }
})
export interface MessagesModel extends InstanceType<typeof MessagesModel> {}
