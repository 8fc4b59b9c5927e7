import type { Content, ContentLanes } from '../../protocol/content/content.ts'
import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import type { PeerRoute } from '../../signaling/network.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { outboxTable } from '../store/records/outbox.ts'
import { isOlderHead, withAnnouncedHead } from './contact-logs.ts'
import { putConversation } from './conversations.ts'
import type { Core } from './core.ts'
import { advance } from './delivery.ts'
import type { Effects } from './effects.ts'
import { requireAccount } from './identity.ts'
import { rotateLanes } from './lanes.ts'
import { dispatchControl, pruneSessions } from './sessions.ts'
import { isHeld } from './trust.ts'

/** How the network reaches a contact; undefined while its devices are not known. */
export const routeOf = (contact: ContactRow): PeerRoute | undefined => {
  const [device] = contact.devices
  if (!device) return undefined
  const { deviceKey } = device
  return {
    contactId: toHex(contact.contactId),
    deviceKey,
    mailboxes: contact.mailboxes,
    direct: contact.state === 'accepted' && !isHeld(contact),
  }
}

export const newContact = (
  contactId: Uint8Array,
  conversationId: Uint8Array,
  known: Pick<ContactRow, 'state' | 'head' | 'log' | 'devices' | 'mailboxes' | 'inviteLanes'> & {
    inviteSecret?: Uint8Array
  },
  now: number,
): ContactRow => ({ contactId, conversationId, ...known, logStale: false, nextOutbox: 1, createdAtMs: now })

/** Whether the lanes lead to a mailbox that was not known as this contact's. */
const leadsElsewhere = ({ mailboxes }: ContactRow, { lanes }: ContentLanes): boolean =>
  lanes.some((lane) => !mailboxes.some((known) => equalBytes(known.mailboxId, lane.mailboxId) && !known.unproven))

/** The contact at the mailboxes it has just told; what waits for it is offered there. */
const withMailboxes = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  { unprovenRow: _, ...contact }: ContactRow,
  lanes: ContentLanes,
  head: Uint8Array,
): Promise<ContactRow> => {
  effects.routes.add(toHex(contact.contactId))
  const moved = leadsElsewhere(contact, lanes)
  if (moved) effects.moved.add(toHex(contact.contactId))
  if (contact.inviteLanes || moved) {
    // Rows that waited because the invite's lane takes only a few, and those that only a relay got which may be gone.
    for (const row of await tx.list(outboxTable, { prefix: [contact.contactId] })) {
      await advance(tx, core, effects, row, { kind: moved ? 'hurried' : 'lanes-told' })
    }
  }
  return { ...contact, mailboxes: lanes.lanes, inviteLanes: false, mailboxesHead: head }
}

/**
 * What accompanies any content: name, lanes, and the head of the sender's log. Lanes that were told before the newest ones,
 * and came late by a slower relay, change nothing. `moved`: the lanes lead to a mailbox that was not known.
 */
export const applyAnnouncements = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  contact: ContactRow,
  { profile, lanes, head }: Content,
): Promise<{ contact: ContactRow; moved: boolean }> => {
  let next = contact
  let moved = false
  if (profile && profile.name !== '' && profile.name !== contact.name) {
    next = { ...next, name: profile.name }
    const conversation = await tx.get(conversationTable, [contact.conversationId])
    if (conversation) putConversation(tx, effects, { ...conversation, name: profile.name })
  }
  const { mailboxesHead } = contact
  if (lanes && lanes.lanes.length > 0 && !(mailboxesHead && isOlderHead(core, contact, head, mailboxesHead))) {
    moved = leadsElsewhere(contact, lanes)
    next = await withMailboxes(tx, core, effects, next, lanes, head)
  }
  const announced = withAnnouncedHead(next, head)
  if (announced !== next) effects.chores.add('contacts')
  return { contact: announced, moved }
}

/** Tells every accepted contact our name and lanes again. */
export const announceToAll = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  kind: 'profile' | 'lanes',
): Promise<void> => {
  const account = await requireAccount(tx)
  for (const contact of await tx.list(contactTable)) {
    if (contact.state === 'accepted') await dispatchControl(tx, core, account, contact, { kind }, effects)
  }
}

/** Hourly: lanes older than 30 days are replaced, sessions nothing can arrive for any more are let go. */
export const contactUpkeepStep = async (tx: WriteTransaction, core: Core, effects: Effects): Promise<void> => {
  const account = await requireAccount(tx)
  for (const contact of await tx.list(contactTable)) {
    await pruneSessions(tx, contact, core.now())
    if (contact.logStale) effects.chores.add('contacts')
    const rotated = await rotateLanes(tx, core, contact.contactId, effects)
    if (rotated && contact.state === 'accepted') {
      await dispatchControl(tx, core, account, contact, { kind: 'lanes' }, effects)
    }
  }
}
