import { fromBodyFrame, isChange, toBodyFrame, type Change } from '../../protocol/content/body.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { earlyChangeTable, removedTable, targetKey } from '../store/records/change.ts'
import type { MessageRow } from '../store/records/message.ts'
import { applyChange, targetOf } from './apply-change.ts'
import type { Core } from './core.ts'
import { writeDiagnostic } from './diagnostics.ts'
import type { Effects } from './effects.ts'

/** 1,000 per conversation: more than can overtake their messages, and a contact cannot fill the disk with them. */
const maxEarly = 1_000

/** Whether what waits already counts more. */
const isOlder = (change: Change, waiting: Change | undefined): boolean =>
  waiting !== undefined &&
  waiting.kind !== 'deletion' &&
  change.kind !== 'deletion' &&
  change.revision <= waiting.revision

const changeIn = (frame: { readonly code: number; readonly raw: Uint8Array }): Change | undefined => {
  const body = fromBodyFrame(frame)
  return isChange(body) ? body : undefined
}

/** Keeps a change until its message comes. */
const keep = async (
  tx: WriteTransaction,
  core: Core,
  conversationId: Uint8Array,
  change: Change,
  sentAtMs: number,
): Promise<void> => {
  const target = { conversationId, ...targetOf(change, false) }
  // Of our own messages none comes later, and what was deleted here stays so.
  if (target.mine || (await tx.get(removedTable, [targetKey(target)]))) return
  const frame = toBodyFrame(change)
  const key = [conversationId, targetKey(target), frame.code] as const
  const before = await tx.get(earlyChangeTable, key)
  if (before && isOlder(change, changeIn(before))) return
  const waiting = before ? [] : await tx.list(earlyChangeTable, { prefix: [conversationId], limit: maxEarly })
  if (waiting.length >= maxEarly) {
    return writeDiagnostic(tx, core, 'envelope', 'limit', 'too many changes of messages that are not here')
  }
  tx.put(earlyChangeTable, { ...target, ...frame, sentAtMs, atMs: core.now() })
}

/** The contact has edited, deleted or reacted to a message; if that has not come yet, it is done when it comes. */
export const receiveChange = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  conversationId: Uint8Array,
  change: Change,
  sentAtMs: number,
): Promise<void> => {
  const atMs = Math.min(sentAtMs, core.now())
  if (await applyChange(tx, effects, conversationId, change, { bySelf: false, atMs })) return
  await keep(tx, core, conversationId, change, atMs)
}

/** A message has come: what came before it and concerns it is done now. */
export const applyEarlyChanges = async (tx: WriteTransaction, effects: Effects, row: MessageRow): Promise<void> => {
  const { conversationId } = row
  const target = targetKey(row)
  for (const early of await tx.list(earlyChangeTable, { prefix: [conversationId, target] })) {
    tx.delete(earlyChangeTable, [conversationId, target, early.code])
    const change = changeIn(early)
    if (change) await applyChange(tx, effects, conversationId, change, { bySelf: false, atMs: early.sentAtMs })
  }
}

/** Lets go of changes whose message can not come any more. */
export const sweepEarlyChanges = async (tx: WriteTransaction, untilMs: number): Promise<void> => {
  for (const row of await tx.list(earlyChangeTable)) {
    if (row.atMs < untilMs) tx.delete(earlyChangeTable, [row.conversationId, targetKey(row), row.code])
  }
}
