import { computed, createModel, signal, type ReadonlySignal } from '@preact/signals'
import type { ConversationView } from '../services/engine-api.ts'

export type { ConversationView }

/** One without a message has its place by its beginning: on top when it is new, and no longer than others write. */
const lastActivity = ({ last, createdAtMs }: ConversationView): number => last?.sentAtMs ?? createdAtMs

const inOrder = (conversations: Iterable<ConversationView>): ConversationView[] =>
  [...conversations].toSorted((a, b) => (lastActivity(a) === lastActivity(b) ? 0 : lastActivity(b) - lastActivity(a)))

/** All conversations, the one with the latest message first. */
export const ConversationsModel = createModel(() => {
  const byId = signal<ReadonlyMap<string, ConversationView>>(new Map())
  const ordered = computed(() => inOrder(byId.value.values()))
  const catchingUp = signal<{ readonly waiting: number; readonly most: number } | null>(null)
  return {
    conversations: ordered,
    byId: byId as ReadonlySignal<ReadonlyMap<string, ConversationView>>,
    unread: computed(() => [...byId.value.values()].reduce((sum, { unread }) => sum + unread, 0)),
    /** Messages still to be fetched from the relay, and the most there were; null when there are none. */
    catchingUp: catchingUp as ReadonlySignal<{ readonly waiting: number; readonly most: number } | null>,

    /** The conversation `step` places further down the list than this one; the first when none is given. */
    neighbourOf(id: string | undefined, step: 1 | -1): string | undefined {
      const at = ordered.value.findIndex(({ conversationId }) => conversationId === id)
      return ordered.value[at < 0 ? 0 : at + step]?.conversationId
    },

    reset(conversations: readonly ConversationView[]) {
      byId.value = new Map(conversations.map((conversation) => [conversation.conversationId, conversation]))
    },
    apply(conversation: ConversationView) {
      byId.value = new Map(byId.value).set(conversation.conversationId, conversation)
    },
    applyCatchingUp(waiting: number) {
      catchingUp.value = waiting === 0 ? null : { waiting, most: Math.max(waiting, catchingUp.value?.most ?? 0) }
    },
  }
})
export interface ConversationsModel extends InstanceType<typeof ConversationsModel> {}
