import { fromHex } from '../../protocol/wire/bytes.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { contactTable } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import type { MessageReference, MessageRow } from '../store/records/message.ts'
import { addOwnMessage } from './conversations.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import type { MessageView, Outcome } from './engine-api.ts'
import { requireAccount } from './identity.ts'
import { problemOf, refuse } from './problems.ts'
import { sendableText } from './sendable-text.ts'
import { dispatch, textBody } from './sessions.ts'
import { messageView, referenceOf } from './views.ts'

/** 50 messages per transaction: one sync for all of them, and none waits longer than a screen refresh for the rest. */
const maxPerStep = 50

interface Pending {
  readonly conversationId: Uint8Array
  readonly text: string
  readonly replyTo: MessageReference | undefined
  readonly resolve: (outcome: Outcome<MessageView>) => void
}

/**
 * Stops 3 and 4 of a message's way: session read, content encoded, encrypted and framed, session, message and outbox written,
 * all in one transaction. What is shown as waiting is stored, and no message key can be used twice.
 */
const sendStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  { conversationId, text, replyTo }: Pending,
): Promise<MessageRow | undefined> => {
  const conversation = await tx.get(conversationTable, [conversationId])
  const contact = conversation && (await tx.get(contactTable, [conversation.contactId]))
  if (!contact) return undefined
  const account = await requireAccount(tx)
  const messageId = core.random(16)
  const now = core.now()
  const saying = {
    messageId,
    sentAtMs: now,
    sequence: conversation.nextSequence,
    body: textBody(text, replyTo),
  }
  const outboxNumber = await dispatch(tx, core, account, contact, saying, effects)
  return addOwnMessage(tx, effects, conversation, { messageId, text, replyTo, now, outboxNumber })
}

export interface SendMessage {
  /** Resolves once message, session and outbox are committed. */
  send(conversationId: string, text: string, replyTo?: string): Promise<Outcome<MessageView>>
}

/** Messages that come while a transaction runs share the next one. */
export const createSendMessage = (core: Core): SendMessage => {
  const pending: Pending[] = []
  let running = false

  const runBatch = async (batch: readonly Pending[]): Promise<void> => {
    try {
      const rows = await core.commit(async (tx, effects) => {
        const out: (MessageRow | undefined)[] = []
        for (const message of batch) out.push(await sendStep(tx, core, effects, message))
        return out
      })
      batch.forEach(({ resolve }, i) => {
        const row = rows[i]
        resolve(
          row ? { ok: true, value: messageView(row) } : refuse('unknown', 'this conversation does not exist here'),
        )
      })
    } catch (cause) {
      for (const { resolve } of batch) resolve({ ok: false, problem: problemOf(cause) })
    }
  }

  const run = async (): Promise<void> => {
    running = true
    while (pending.length > 0) await runBatch(pending.splice(0, maxPerStep))
    running = false
  }

  return {
    send: (conversationId, text, replyTo) => {
      const sendable = sendableText(text)
      if (!sendable.ok) return Promise.resolve(sendable)
      let answered: MessageReference | undefined
      try {
        answered = replyTo === undefined ? undefined : referenceOf(replyTo)
      } catch (cause) {
        return Promise.resolve({ ok: false, problem: problemOf(cause) })
      }
      return new Promise((resolve) => {
        pending.push({ conversationId: fromHex(conversationId), text: sendable.value, replyTo: answered, resolve })
        if (!running) void run()
      })
    },
  }
}
