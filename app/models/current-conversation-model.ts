import { computed, createModel, effect, signal, untracked, type ReadonlySignal } from '@preact/signals'
import type { EngineApi } from '../services/engine-api.ts'
import { ConversationModel } from './conversation-model.ts'
import type { ConversationsModel, ConversationView } from './conversations-model.ts'
import type { NavigationModel } from './navigation-model.ts'
import type { Phase, World } from './world.ts'

/**
 * Opens and closes the model of the conversation that the navigation names, once it is known, and tells the engine which one
 * is looked at, and whether anybody is there to look.
 */
export const CurrentConversationModel = createModel(
  (
    engine: EngineApi,
    { visible, active, copy }: Pick<World, 'visible' | 'active' | 'copy'>,
    navigation: NavigationModel,
    conversations: ConversationsModel,
    phase: ReadonlySignal<Phase>,
  ) => {
    const conversation = signal<ConversationModel | null>(null)

    /** The committed state; keeps its last value while the conversation is being left. */
    const viewOf = (id: string, first: ConversationView) => computed(() => conversations.byId.value.get(id) ?? first)

    const saveDraft = () => conversation.peek()?.composer.saveDraft()

    const change = (id: string | null, known: ConversationView | undefined) => {
      const open = conversation.value
      if (id === (open?.conversationId.value ?? null) || (id !== null && known === undefined)) return
      saveDraft()
      open?.[Symbol.dispose]()
      const next =
        id === null || known === undefined ? null : new ConversationModel(engine, viewOf(id, known), { visible, copy })
      conversation.value = next
      void next?.open()
    }

    effect(() => {
      const id = phase.value === 'ready' ? navigation.conversationId.value : null
      const known = id === null ? undefined : conversations.byId.value.get(id)
      untracked(() => change(id, known))
    })

    effect(() => {
      if (phase.value !== 'ready') return
      const id = visible.value ? (conversation.value?.conversationId.value ?? null) : null
      engine.show(id).catch(() => undefined)
    })

    effect(() => {
      // Only a courtesy: nothing to tell when it does not arrive.
      if (phase.value === 'ready') engine.attend(active.value).catch(() => undefined)
    })

    effect(() => {
      if (!visible.value) saveDraft()
    })

    return { conversation: conversation as ReadonlySignal<ConversationModel | null>, saveDraft }
  },
)
export interface CurrentConversationModel extends InstanceType<typeof CurrentConversationModel> {}
