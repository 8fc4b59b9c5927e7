import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { contactTable } from '../store/records/contact.ts'
import { receiptTable, type ReceiptRow } from '../store/records/receipt.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import { requireAccount } from './identity.ts'
import { dispatchControl, sendingSession } from './sessions.ts'
import { between, sinceMs } from './timers.ts'

/** 200 ids (about 3.6 KB) per receipt: a catch-up takes a few, and each fits a small envelope. */
const maxPerReceipt = 200

/** Writes down that a receipt is owed; `read` adds to an earlier `delivered`, and nothing takes it back. */
export const oweReceipt = async (
  tx: WriteTransaction,
  effects: Effects,
  owed: Omit<ReceiptRow, 'createdAtMs'>,
  now: number,
): Promise<void> => {
  const earlier = await tx.get(receiptTable, [owed.contactId, owed.messageId])
  if (!earlier || (owed.read && !earlier.read)) tx.put(receiptTable, { createdAtMs: now, ...owed })
  effects.receipts.add(toHex(owed.contactId))
}

/** Turns what is owed to a contact into one sealed receipt: intents out, envelope in, in one transaction. Gives what it tells. */
const receiptStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  contactId: Uint8Array,
): Promise<readonly ReceiptRow[]> => {
  if (!core.continuity.confirmed) return []
  const contact = await tx.get(contactTable, [contactId])
  const owed = await tx.list(receiptTable, { prefix: [contactId], limit: maxPerReceipt })
  if (owed.length === 0 || contact?.state !== 'accepted' || !(await sendingSession(tx, contact, core.now()))) return []
  const ids = (read: boolean): Uint8Array[] => owed.filter((row) => row.read === read).map((row) => row.messageId)
  const body = { kind: 'receipt', delivered: ids(false), read: ids(true) } as const
  await dispatchControl(tx, core, await requireAccount(tx), contact, body, effects)
  for (const row of owed) tx.delete(receiptTable, [contactId, row.messageId])
  if (owed.length === maxPerReceipt) effects.receipts.add(toHex(contactId))
  return owed
}

/**
 * Receipts, in batches: at once over a direct link, and by mailbox after a random while, so that their delay does not tell
 * the relay what they are.
 */
export interface Receipts {
  /** Receipts are owed to this contact (hex). */
  schedule(contact: string): void
  /** A direct link is there: nothing to wait for. */
  hurry(contact: string): void
  resume(): Promise<void>
}

export const createReceipts = (core: Core): Receipts => {
  const waiting = new Map<string, { cancel: () => void; direct: boolean }>()
  /** When the last receipt left, by contact. */
  const left = new Map<string, number>()

  const flush = async (contact: string): Promise<void> => {
    waiting.delete(contact)
    left.set(contact, core.now())
    try {
      const told = await core.commit((tx, effects) => receiptStep(tx, core, effects, fromHex(contact)))
      for (const { envelopeId } of told) if (envelopeId) core.recentReceipts.note(envelopeId)
    } catch (cause) {
      core.report(cause)
      start(contact, core.pace.retryMs[1], false)
    }
  }

  const start = (contact: string, delayMs: number, direct: boolean): void => {
    waiting.get(contact)?.cancel()
    waiting.set(contact, { cancel: core.timers.after(delayMs, () => void flush(contact)), direct })
  }

  const directDelayMs = (contact: string): number => {
    const [first, again] = core.pace.receiptDirectMs
    const agoMs = sinceMs(core.now(), left.get(contact) ?? 0)
    return agoMs < again ? Math.max(first, again - agoMs) : first
  }

  const schedule = (contact: string): void => {
    const direct = core.presence.path(contact) === 'direct'
    const earlier = waiting.get(contact)
    if (earlier && (earlier.direct || !direct)) return
    start(contact, direct ? directDelayMs(contact) : between(core.random, core.pace.receiptMailboxMs), direct)
  }

  return {
    schedule,
    hurry: (contact) => {
      if (waiting.has(contact)) schedule(contact)
    },
    resume: async () => {
      const rows = await core.store.read((tx) => tx.list(receiptTable))
      for (const contact of new Set(rows.map((row) => toHex(row.contactId)))) schedule(contact)
    },
  }
}
