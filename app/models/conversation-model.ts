import { computed, createModel, effect, signal, untracked, type ReadonlySignal } from '@preact/signals'
import type { ConversationView, EngineApi, MessageView } from '../services/engine-api.ts'
import { notStored } from './attempt.ts'
import { ComposerModel } from './composer-model.ts'
import { nobodyYet, waitingWords } from './diagnosis-words.ts'
import { MessageActionsModel } from './message-actions-model.ts'
import { MessagesModel } from './messages-model.ts'
import type { World } from './world.ts'

/** Position of the newest message of somebody else at or before `position`, if there is one. */
const newestIncoming = (messages: readonly MessageView[], position: number): number | undefined =>
  messages.findLast((message) => !message.mine && message.position <= position)?.position

/** The first of the `unread` newest messages of somebody else. */
const firstUnread = (messages: readonly MessageView[], unread: number): string | null => {
  let left = unread
  for (let i = messages.length - 1; i >= 0 && left > 0; i--) {
    const message = messages[i]
    if (message === undefined || message.mine) continue
    left -= 1
    if (left === 0) return message.messageId
  }
  return null
}

/** 2,000: who was away longer than that finds the beginning by scrolling. */
const maxUnreadSought = 2_000

/**
 * The conversation on screen. `view` is its committed state; messages count as read only while the tab is visible and the
 * list says they are within sight.
 */
export const ConversationModel = createModel(
  (engine: EngineApi, view: ReadonlySignal<ConversationView>, { visible, copy }: Pick<World, 'visible' | 'copy'>) => {
    const { conversationId, draft, draftReply, unread } = untracked(() => view.value)
    const messages: MessagesModel = new MessagesModel(engine, conversationId)
    const composer: ComposerModel = new ComposerModel(engine, conversationId, { text: draft, replyTo: draftReply })
    const actions: MessageActionsModel = new MessageActionsModel(engine, conversationId, { copy })
    const inSight = signal(-Infinity)
    const firstUnreadId = signal<string | null>(null)
    const announcement = signal<MessageView | null>(null)
    const decided = signal<string | null>(null)
    const sought = signal<{ readonly messageId: string } | null>(null)
    let marked = ''

    const open = async () => {
      await messages.load()
      const find = () => firstUnread(messages.messages.value, unread)
      const mayBeFound = () =>
        messages.state.value === 'ready' && !messages.complete.value && messages.messages.value.length < maxUnreadSought
      while (unread > 0 && find() === null && mayBeFound()) await messages.loadOlder()
      firstUnreadId.value = find()
    }

    effect(() => {
      const position = newestIncoming(messages.messages.value, inSight.value)
      const waiting = view.value.unread
      if (!visible.value || waiting === 0 || position === undefined) return
      // A late arrival may stand above what was marked before: the number tells.
      const mark = `${waiting} up to ${position}`
      if (mark === marked) return
      marked = mark
      engine.markRead(conversationId, position).catch(() => (marked = ''))
    })

    return {
      conversationId: signal(conversationId) as ReadonlySignal<string>,
      view,
      /** The contact's name as every screen shows it. */
      name: computed(() => view.value.name ?? 'New contact'),
      /** What messages wait for that have waited for a moment; null: none, or it stands there already in greater words. */
      waitingFor: computed(() => {
        const { waiting, name } = view.value
        return waiting === undefined || waiting === 'keys-changed' ? null : waitingWords(waiting, name ?? nobodyYet)
      }),
      messages,
      composer,
      actions,
      /** The newest message that came while the conversation was open, for screen readers. */
      announcement: announcement as ReadonlySignal<MessageView | null>,
      /** What the person asked to see; the list brings it into sight. */
      sought: sought as ReadonlySignal<{ readonly messageId: string } | null>,
      /** What went wrong with saying yes to the contact's new keys. */
      decisionProblem: decided as ReadonlySignal<string | null>,
      /** Where "new messages" begins, fixed when the conversation was opened. */
      firstUnreadId: firstUnreadId as ReadonlySignal<string | null>,
      open,

      /** The message at `position` is the last one within sight. */
      lookedAt(position: number) {
        inSight.value = position
      },

      /** Brings a message into sight, wherever it stands. One that is not here is left alone: its quotation says so. */
      async show(messageId: string) {
        if (await messages.reach(messageId)) sought.value = { messageId }
      },

      /** The newest message of one's own that is loaded and can be edited comes into the field. */
      editLast() {
        const last = messages.messages.value.findLast(({ mine, text }) => mine && text !== undefined)
        if (last !== undefined) composer.beginEdit(last)
      },

      apply(message: MessageView, isNew: boolean) {
        messages.apply(message)
        if (isNew && (!message.mine || message.notice !== undefined)) announcement.value = message
      },

      /** A yes to the contact's new keys without comparing: what waits is sent, and the contact is not verified any more. */
      async sendAnyway() {
        decided.value = null
        await engine.acceptKeys(conversationId).catch(() => (decided.value = notStored))
      },
    }
  },
)
export interface ConversationModel extends InstanceType<typeof ConversationModel> {}
