import { createModel, signal, type ReadonlySignal } from '@preact/signals'
import type { EarlierText, EngineApi, MessageView, Outcome } from '../services/engine-api.ts'
import { attempt } from './attempt.ts'
import type { World } from './world.ts'

export type { EarlierText }

/** What the person is asked or shown about one message. */
export type Asked =
  | { readonly kind: 'delete'; readonly message: MessageView }
  /** `texts`: null while they are read. */
  | { readonly kind: 'earlier'; readonly message: MessageView; readonly texts: readonly EarlierText[] | null }

/** 2.5 s: long enough to read two words, short enough not to be in the way. */
const saidMs = 2_500

/** What the person does with messages that are there, and what comes of it. */
export const MessageActionsModel = createModel(
  (engine: EngineApi, conversationId: string, { copy }: Pick<World, 'copy'>) => {
    const said = signal<string | null>(null)
    const asked = signal<Asked | null>(null)
    let saidTimer: ReturnType<typeof setTimeout> | undefined

    /** Something that worked, or did not, for a moment. */
    const say = (words: string) => {
      clearTimeout(saidTimer)
      said.value = words
      saidTimer = setTimeout(() => (said.value = null), saidMs)
    }

    /** A change that worked is shown by its event. */
    const tell = (outcome: Outcome<unknown>) => {
      if (!outcome.ok) say(outcome.problem.message)
    }

    return {
      /** What the person should know for a moment. */
      said: said as ReadonlySignal<string | null>,
      asked: asked as ReadonlySignal<Asked | null>,

      async copyText({ text = '' }: MessageView) {
        await copy(text).then(
          () => say('Copied'),
          () => say('The browser refused to copy. Select the text and copy it by hand.'),
        )
      },

      /** Puts this emoji at the message; the same again takes it back. */
      async react({ messageId, reactions }: MessageView, emoji: string) {
        tell(await attempt(() => engine.react(conversationId, messageId, reactions?.mine === emoji ? null : emoji)))
      },

      askDelete(message: MessageView) {
        asked.value = { kind: 'delete', message }
      },

      /** What the message said before its edits. */
      async showEarlier(message: MessageView) {
        asked.value = { kind: 'earlier', message, texts: null }
        const texts = await engine.earlierTexts(conversationId, message.messageId).catch(() => [])
        if (asked.value?.kind === 'earlier' && asked.value.message === message) {
          asked.value = { kind: 'earlier', message, texts }
        }
      },

      /** Deletes what was asked about. */
      async deleteAsked(where: 'here' | 'everywhere') {
        if (asked.value?.kind !== 'delete') return
        const ids = [asked.value.message.messageId]
        asked.value = null
        const call = where === 'here' ? engine.removeMessages : engine.deleteForEveryone
        tell(await attempt(() => call(conversationId, ids)))
      },

      close() {
        asked.value = null
      },
    }
  },
)
export interface MessageActionsModel extends InstanceType<typeof MessageActionsModel> {}
