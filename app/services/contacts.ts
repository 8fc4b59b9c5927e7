import { logExtends, verifyAccountLog } from '../../protocol/identity/account-log.ts'
import type { Content } from '../../protocol/content/content.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import type { PeerRoute } from '../../signaling/network.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { outboxTable } from '../store/records/outbox.ts'
import { putConversation } from './conversations.ts'
import type { Core } from './core.ts'
import { note } from './diagnostics.ts'
import { noteOutbox, type Effects } from './effects.ts'
import { followDevices } from './device-change.ts'
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

/** The contact as a verified newer log describes it. @throws ProtocolError `conflict` when it does not extend the one known. */
export const withLog = (core: Core, contact: ContactRow, log: Uint8Array): ContactRow => {
  const view = verifyAccountLog(log, core.crypto)
  if (!equalBytes(view.accountId, contact.contactId) || !logExtends(log, contact.head)) {
    throw new ProtocolError('conflict', 'the account log does not extend the one already known')
  }
  return { ...contact, log, head: view.head, devices: [...view.devices], logStale: false }
}

/** What accompanies any content: name, lanes, and the head of the sender's log. */
export const applyAnnouncements = async (
  tx: WriteTransaction,
  effects: Effects,
  contact: ContactRow,
  { profile, lanes, head }: Content,
): Promise<ContactRow> => {
  let next = contact
  if (profile && profile.name !== '' && profile.name !== contact.name) {
    next = { ...next, name: profile.name }
    const conversation = await tx.get(conversationTable, [contact.conversationId])
    if (conversation) putConversation(tx, effects, { ...conversation, name: profile.name })
  }
  if (lanes) {
    next = { ...next, mailboxes: lanes.lanes, inviteLanes: false }
    effects.routes.add(toHex(contact.contactId))
    if (contact.inviteLanes) {
      // Rows that waited because the invite's lane takes only a few.
      for (const row of await tx.list(outboxTable, { prefix: [contact.contactId] })) {
        if (!row.sent && row.envelope) noteOutbox(effects, row.contactId, row.number)
      }
    }
  }
  const current = equalBytes(head, contact.head) || (contact.log.length > 0 && logExtends(contact.log, head))
  if (!current) {
    next = { ...next, logStale: true }
    effects.chores.add('contacts')
  }
  return next
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

/** Fetches the logs that contacts say have grown. False while one could not be had. */
export const refreshLogs = async (core: Core): Promise<boolean> => {
  const network = core.network()
  const stale = (await core.store.read((tx) => tx.list(contactTable))).filter((contact) => contact.logStale)
  let complete = true
  for (const { contactId, mailboxes } of stale) {
    const [relay] = mailboxes
    if (!relay || !network) continue
    const fetched = await network.fetchLog(relay, contactId)
    if (!fetched.ok) {
      complete &&= fetched.reason === 'refused'
      continue
    }
    try {
      await core.commit(async (tx, effects) => {
        const contact = await tx.get(contactTable, [contactId])
        if (!contact?.logStale) return
        tx.put(contactTable, await followDevices(tx, core, effects, contact, withLog(core, contact, fetched.value)))
      })
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause
      await note(core, 'relay', cause.code, "a contact's account log was not accepted")
    }
  }
  return complete
}

/** Hourly: lanes older than 30 days are replaced, sessions nothing can arrive for any more are let go. */
export const contactUpkeepStep = async (tx: WriteTransaction, core: Core, effects: Effects): Promise<void> => {
  const account = await requireAccount(tx)
  for (const contact of await tx.list(contactTable)) {
    await pruneSessions(tx, contact, core.now())
    const rotated = await rotateLanes(tx, core, contact.contactId, effects)
    if (rotated && contact.state === 'accepted') {
      await dispatchControl(tx, core, account, contact, { kind: 'lanes' }, effects)
    }
  }
}
