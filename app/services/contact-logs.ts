import { logExtends, logUpTo, verifyAccountLog } from '../../protocol/identity/account-log.ts'
import type { DeviceRecord } from '../../protocol/identity/device.ts'
import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import type { Network, NetworkResult, RemoteMailbox } from '../../signaling/network.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { inOrderOfArrival } from './arrival.ts'
import { putConversation } from './conversations.ts'
import type { Core } from './core.ts'
import { followDevices, withTrust } from './device-change.ts'
import { note, writeDiagnostic } from './diagnostics.ts'
import type { Effects } from './effects.ts'

/*
 * A contact's account log, as its relays give it. All of them are asked, because any of them may be dead, behind or lying;
 * the one that holds what the contact announced in a sealed message is taken, else the longest valid chain that extends the
 * one known, whatever the order of the answers. A relay that is behind says nothing new. Two valid chains that contradict each other can only have been signed by the account's own keys: that
 * is written down and shown.
 */

/** Whether the contact's log, as far as it is known, reaches `head`. */
const knowsHead = ({ head: own, log }: ContactRow, head: Uint8Array): boolean =>
  equalBytes(head, own) || (log.length > 0 && logExtends(log, head))

/** The contact with a log that was verified; what it announced may still be ahead of that. */
export const withKnownLog = (
  { announcedHead, ...contact }: ContactRow,
  known: { readonly log: Uint8Array; readonly head: Uint8Array; readonly devices: readonly DeviceRecord[] },
): ContactRow => {
  const { log, head } = known
  const next = { ...contact, log, head, devices: [...known.devices], logStale: false }
  const reached = announcedHead === undefined || logExtends(log, announcedHead)
  return reached ? next : { ...next, logStale: true, announcedHead }
}

/** The contact once a head was announced: its log is to be fetched if that head does not stand in it. */
export const withAnnouncedHead = (contact: ContactRow, head: Uint8Array): ContactRow =>
  knowsHead(contact, head) ? contact : { ...contact, logStale: true, announcedHead: head }

/** The contact as a verified newer log describes it. @throws ProtocolError `conflict` when it does not extend the one known. */
export const withLog = (core: Core, contact: ContactRow, log: Uint8Array): ContactRow => {
  const view = verifyAccountLog(log, core.crypto)
  if (!equalBytes(view.accountId, contact.contactId) || !logExtends(log, contact.head)) {
    throw new ProtocolError('conflict', 'the account log does not extend the one already known')
  }
  return withKnownLog(contact, { log, ...view })
}

/** Whether a valid log of the account and the one known can not both be its history. @throws ProtocolError when it is invalid. */
const contradicts = (core: Core, { contactId, head, log: known }: ContactRow, log: Uint8Array): boolean => {
  const view = verifyAccountLog(log, core.crypto)
  // Before the first log there is only a head, and a log without it may simply be older.
  if (known.length === 0 || !equalBytes(view.accountId, contactId)) return false
  return !logExtends(log, head) && !logExtends(known, view.head)
}

const noteFork = async (tx: WriteTransaction, core: Core, effects: Effects, contact: ContactRow): Promise<void> => {
  if (contact.forked) return
  const forked = { ...contact, forked: true }
  tx.put(contactTable, forked)
  const conversation = await tx.get(conversationTable, [contact.conversationId])
  if (conversation) putConversation(tx, effects, withTrust(conversation, forked))
  await writeDiagnostic(tx, core, 'relay', 'fork', "two histories of a contact's account")
}

/** Writes it down if `log` is a second history of the contact's account. For logs that were not taken. */
export const noteContradiction = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  contactId: Uint8Array,
  log: Uint8Array,
): Promise<void> => {
  const contact = await tx.get(contactTable, [contactId])
  try {
    if (!contact || !contradicts(core, contact, log)) return
  } catch (cause) {
    // An invalid log is nobody's history.
    if (cause instanceof ProtocolError) return
    throw cause
  }
  await noteFork(tx, core, effects, contact)
}

interface FetchedLog {
  readonly relay: RemoteMailbox
  readonly result: NetworkResult<Uint8Array>
}

/** Asks each relay of a contact once; answers in the order in which they come, so that a dead relay delays none of the others. */
export const fetchLogs = (network: Network, { contactId, mailboxes }: ContactRow): AsyncGenerator<FetchedLog> => {
  const relays = new Map(mailboxes.map((mailbox) => [toHex(mailbox.relayKey), mailbox]))
  return inOrderOfArrival(
    [...relays.values()].map(async (relay) => ({ relay, result: await network.fetchLog(relay, contactId) })),
  )
}

/**
 * One relay's answer: taken when it is news, shown when it is a second history, else nothing. False, and nothing done: it is
 * news that does not reach what the contact announced; unless it is the last word, one that does goes before it.
 */
const learnStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  contactId: Uint8Array,
  { log, isLastWord }: { readonly log: Uint8Array; readonly isLastWord: boolean },
): Promise<boolean> => {
  const contact = await tx.get(contactTable, [contactId])
  if (!contact) return true
  if (contradicts(core, contact, log)) {
    await noteFork(tx, core, effects, contact)
    return true
  }
  if (contact.log.length > 0 && knowsHead(contact, verifyAccountLog(log, core.crypto).head)) return true
  const next = withLog(core, contact, log)
  if (next.logStale && !isLastWord) return false
  tx.put(contactTable, await followDevices(tx, core, effects, contact, next))
  return true
}

const learn = async (core: Core, contactId: Uint8Array, log: Uint8Array, isLastWord: boolean): Promise<boolean> => {
  try {
    return await core.commit((tx, effects) => learnStep(tx, core, effects, contactId, { log, isLastWord }))
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    await note(core, 'relay', cause.code, "a contact's account log was not accepted")
    return true
  }
}

/** False while a relay of the contact could not be asked and what it announced is not known. */
const refreshLog = async (core: Core, network: Network, contact: ContactRow): Promise<boolean> => {
  const { contactId } = contact
  const behind: Uint8Array[] = []
  let askedAll = true
  for await (const { result } of fetchLogs(network, contact)) {
    if (!result.ok) askedAll &&= result.reason === 'refused'
    else if (!(await learn(core, contactId, result.value, false))) behind.push(result.value)
  }
  for (const log of behind.toSorted((a, b) => b.length - a.length)) await learn(core, contactId, log, true)
  if (askedAll) return true
  return (await core.store.read((tx) => tx.get(contactTable, [contactId])))?.logStale !== true
}

/**
 * Fetches the logs that contacts say have grown. False while one could not be had; where all relays were asked and none has
 * it, the next hour or the contact's next word is soon enough.
 */
export const refreshLogs = async (core: Core): Promise<boolean> => {
  const network = core.network()
  if (!network) return true
  const contacts = await core.store.read((tx) => tx.list(contactTable))
  const stale = contacts.filter((contact) => contact.logStale)
  return (await Promise.all(stale.map((contact) => refreshLog(core, network, contact)))).every(Boolean)
}

/** Whether what was said under `head` is older than what was said under `than`, as far as the contact's log tells. */
export const isOlderHead = (core: Core, { log }: ContactRow, head: Uint8Array, than: Uint8Array): boolean => {
  if (equalBytes(head, than) || log.length === 0 || !logExtends(log, head)) return false
  // What is not in the log is newer than all of it.
  return !logExtends(log, than) || logExtends(logUpTo(log, than, core.crypto), head)
}
