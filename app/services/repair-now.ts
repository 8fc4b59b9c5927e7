import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { contactTable } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { outboxTable } from '../store/records/outbox.ts'
import type { Core } from './core.ts'
import { advance } from './delivery.ts'
import type { Chore, Effects } from './effects.ts'
import type { RepairAnswer } from './engine-api.ts'
import { readSendingDevice, wantHandshake } from './remote-devices.ts'
import { isHandshakeDue, nextRepairAtMs } from './repair-decision.ts'
import { isHeld } from './trust.ts'

/** Everything that may be resting after a failure. */
const chores: readonly Chore[] = ['continuity', 'publish', 'sessions', 'repairs', 'prekeys', 'contacts']

const repairStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  conversationId: Uint8Array,
): Promise<RepairAnswer> => {
  const conversation = await tx.get(conversationTable, [conversationId])
  const contact = conversation && (await tx.get(contactTable, [conversation.contactId]))
  if (contact?.state !== 'accepted') return { kind: 'nobody' }
  if (isHeld(contact)) return { kind: 'keys-changed' }
  effects.hurried.add(toHex(contact.contactId))
  for (const chore of chores) effects.chores.add(chore)
  // What somebody has taken and nobody has receipted is offered again: the same bytes, so a copy that arrives changes nothing.
  for (const row of await tx.list(outboxTable, { prefix: [contact.contactId] })) {
    await advance(tx, core, effects, row, { kind: 'hurried' })
  }
  const device = await readSendingDevice(tx, contact)
  // Nothing is known of their device yet: the attempt at a first session is all there is to repair.
  if (!device) return { kind: 'begun' }
  const wanted = { ...device, handshake: 'repair' } as const
  wantHandshake(tx, effects, device, 'repair')
  if (isHandshakeDue(wanted, core.now(), core.pace.repairMs)) return { kind: 'begun' }
  return { kind: 'later', atMs: nextRepairAtMs(device, core.pace.repairMs) }
}

/**
 * The person asks for a repair: pauses end, what is on its way is offered again, and a new session is made, as often as repairs
 * may happen at all (`pace.repairMs`); one that comes too soon stays wanted until its time.
 */
export const repairNow = (core: Core, conversationId: string): Promise<RepairAnswer> =>
  core.commit((tx, effects) => repairStep(tx, core, effects, fromHex(conversationId)))
