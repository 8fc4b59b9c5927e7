import { computed, createModel, signal, type ReadonlySignal } from '@preact/signals'
import { maxTextBytes } from '../../protocol/wire/limits.ts'
import type { EngineApi, MessageView } from '../services/engine-api.ts'
import { attempt } from './attempt.ts'

/** 400 ms after the last key: a draft survives a crash without a write per key. */
const draftDelayMs = 400
/** 2 s between two typing signals; the engine lets fewer through. */
const typingPauseMs = 2_000
/** The most UTF-8 bytes one UTF-16 code unit can take: below this no counting is needed. */
const maxBytesPerUnit = 3

/** 50 messages handed over and not answered yet: what the engine stores in one step. More would be lost with a killed page. */
const maxHanded = 50

/** Said when a draft alone could not be written down. */
const draftNotStored = 'This draft could not be stored. It is here only as long as this page is open.'

const bytesOf = (text: string): number => new TextEncoder().encode(text).length

/** What the person sends in one go. */
interface Written {
  readonly body: string
  readonly replyTo: string | null
}

/** What lay unsent when the conversation was left. */
interface Draft {
  readonly text: string
  readonly replyTo?: string | undefined
}

const joined = (parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n')

/**
 * The message being written in one conversation. Text leaves the field when it is sent and comes back when sending fails;
 * the stored draft is cleared only after the message is stored.
 */
export const ComposerModel = createModel((engine: EngineApi, conversationId: string, draft: Draft) => {
  const text = signal(draft.text)
  const replyTo = signal<string | null>(draft.replyTo ?? null)
  const editing = signal<string | null>(null)
  const problem = signal<string | null>(null)
  /** What was being written before an own message came into the field. */
  let aside: Written = { body: '', replyTo: null }
  /** As the store has it; undefined: not known, because writing it down failed. */
  let saved: Written | undefined = { body: draft.text, replyTo: replyTo.value }
  let draftTimer: ReturnType<typeof setTimeout> | undefined
  let typingAllowedAt = 0
  /** Messages the engine has and has not answered for. */
  let handed = 0
  const queued: Written[] = []
  /** Could not be stored; given back, in order, when the engine has answered for everything. */
  let failed: Written[] = []

  const tooLongBy = computed(() =>
    text.value.length * maxBytesPerUnit > maxTextBytes ? Math.max(0, bytesOf(text.value.trim()) - maxTextBytes) : 0,
  )

  const saveDraft = () => {
    clearTimeout(draftTimer)
    // What the engine was handed is its to keep, even if this page ends now; what waits its turn is still unsent.
    const now = editing.value === null ? { body: text.value, replyTo: replyTo.value } : aside
    const body = joined([...failed, ...queued, now].map((one) => one.body))
    const unsent: Written = { body, replyTo: now.replyTo }
    if (saved?.body === body && saved.replyTo === unsent.replyTo) return
    saved = unsent
    engine.saveDraft(conversationId, body, unsent.replyTo ?? undefined).catch(() => {
      // The next occasion tries again.
      saved = undefined
      // Why a message could not be stored says more, and what to do about it.
      problem.value ??= draftNotStored
    })
  }

  const saveDraftSoon = () => {
    clearTimeout(draftTimer)
    draftTimer = setTimeout(saveDraft, draftDelayMs)
  }

  /** What could not be stored stands in front of what is being written now. */
  const giveBack = (parts: readonly Written[]) => {
    const now = editing.value === null ? { body: text.value, replyTo: replyTo.value } : aside
    const body = joined([...parts, now].map((one) => one.body))
    const whole = { body, replyTo: now.replyTo ?? parts.find((one) => one.replyTo !== null)?.replyTo ?? null }
    if (editing.value === null) resume(whole)
    else aside = whole
  }

  const resume = (written: Written) => {
    text.value = written.body
    replyTo.value = written.replyTo
  }

  /** The field goes back to what was written before the edit. */
  const endEdit = () => {
    editing.value = null
    problem.value = null
    resume(aside)
    aside = { body: '', replyTo: null }
  }

  const beginEdit = ({ messageId, text: known = '' }: Pick<MessageView, 'messageId' | 'text'>) => {
    if (editing.value === null) aside = { body: text.value, replyTo: replyTo.value }
    editing.value = messageId
    problem.value = null
    resume({ body: known, replyTo: null })
  }

  const finishEdit = async (messageId: string, body: string) => {
    endEdit()
    const outcome = await attempt(() => engine.edit(conversationId, messageId, body))
    if (outcome.ok) return
    // It can be tried again, or given up.
    if (editing.value === null) beginEdit({ messageId, text: body })
    problem.value = outcome.problem.message
  }

  const deliver = async (written: Written) => {
    handed += 1
    const outcome = await attempt(() => engine.send(conversationId, written.body, written.replyTo ?? undefined))
    handed -= 1
    // A stored one is shown by its event.
    if (!outcome.ok) {
      failed.push(written)
      problem.value = outcome.problem.message
    }
    handOver()
    if (handed > 0) return saveDraftSoon()
    giveBack(failed)
    failed = []
    saveDraft()
  }

  const handOver = () => {
    for (let next = queued[0]; next !== undefined && handed < maxHanded; next = queued[0]) {
      queued.shift()
      void deliver(next)
    }
  }

  return {
    text: text as ReadonlySignal<string>,
    /** The message that is being answered. */
    replyTo: replyTo as ReadonlySignal<string | null>,
    /** What went wrong with the last attempt; cleared by the next edit. */
    problem: problem as ReadonlySignal<string | null>,
    /** Bytes over the limit of one message, 0 when it fits. */
    tooLongBy,
    canSend: computed(() => text.value.trim() !== '' && tooLongBy.value === 0),

    edit(next: string) {
      text.value = next
      problem.value = null
      saveDraftSoon()
      const now = performance.now()
      if (next.trim() === '' || now < typingAllowedAt) return
      typingAllowedAt = now + typingPauseMs
      // Only a courtesy: nothing to tell when it does not arrive.
      engine.typing(conversationId).catch(() => undefined)
    },

    /** The own message that is being edited. */
    editing: editing as ReadonlySignal<string | null>,
    /** An own message comes into the field; what was being written comes back afterwards. */
    beginEdit,
    cancelEdit: endEdit,

    /** What is written now answers this message; null: none. */
    answer(messageId: string | null) {
      if (editing.value !== null) endEdit()
      replyTo.value = messageId
      saveDraftSoon()
    },

    /** Sends what is written; messages keep their order. @returns false when there is nothing that can be sent. */
    send(): boolean {
      const body = text.value.trim()
      if (body === '' || tooLongBy.value > 0) return false
      const edited = editing.value
      if (edited !== null) {
        void finishEdit(edited, body)
        return true
      }
      queued.push({ body, replyTo: replyTo.value })
      text.value = ''
      replyTo.value = null
      problem.value = null
      typingAllowedAt = 0
      handOver()
      return true
    },

    /** Stores the draft at once, e.g. when the conversation is left. */
    saveDraft,
  }
})
export interface ComposerModel extends InstanceType<typeof ComposerModel> {}
