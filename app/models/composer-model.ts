import { computed, createModel, signal, type ReadonlySignal } from '@preact/signals'
import { maxTextBytes } from '../../protocol/wire/limits.ts'
import type { EngineApi } from '../services/engine-api.ts'
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

/**
 * The message being written in one conversation. Text leaves the field when it is sent and comes back when sending fails;
 * the stored draft is cleared only after the message is stored.
 */
export const ComposerModel = createModel((engine: EngineApi, conversationId: string, draft: string) => {
  const text = signal(draft)
  const problem = signal<string | null>(null)
  /** As the store has it; undefined: not known, because writing it down failed. */
  let saved: string | undefined = draft
  let draftTimer: ReturnType<typeof setTimeout> | undefined
  let typingAllowedAt = 0
  /** Messages the engine has and has not answered for. */
  let handed = 0
  const queued: string[] = []
  /** Could not be stored; given back, in order, when the engine has answered for everything. */
  let failed: string[] = []

  const tooLongBy = computed(() =>
    text.value.length * maxBytesPerUnit > maxTextBytes ? Math.max(0, bytesOf(text.value.trim()) - maxTextBytes) : 0,
  )

  const saveDraft = () => {
    clearTimeout(draftTimer)
    // What the engine was handed is its to keep, even if this page ends now; what waits its turn is still unsent.
    const unsent = [...failed, ...queued, text.value].filter((part) => part !== '').join('\n')
    if (unsent === saved) return
    saved = unsent
    engine.saveDraft(conversationId, unsent).catch(() => {
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

  const deliver = async (body: string) => {
    handed += 1
    const outcome = await attempt(() => engine.send(conversationId, body))
    handed -= 1
    // A stored one is shown by its event.
    if (!outcome.ok) {
      failed.push(body)
      problem.value = outcome.problem.message
    }
    handOver()
    if (handed > 0) return saveDraftSoon()
    text.value = [...failed, text.value].filter((part) => part !== '').join('\n')
    failed = []
    saveDraft()
  }

  const handOver = () => {
    for (let body = queued[0]; body !== undefined && handed < maxHanded; body = queued[0]) {
      queued.shift()
      void deliver(body)
    }
  }

  return {
    text: text as ReadonlySignal<string>,
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

    /** Sends what is written; messages keep their order. @returns false when there is nothing that can be sent. */
    send(): boolean {
      const body = text.value.trim()
      if (body === '' || tooLongBy.value > 0) return false
      text.value = ''
      problem.value = null
      typingAllowedAt = 0
      queued.push(body)
      handOver()
      return true
    },

    /** Stores the draft at once, e.g. when the conversation is left. */
    saveDraft,
  }
})
export interface ComposerModel extends InstanceType<typeof ComposerModel> {}
