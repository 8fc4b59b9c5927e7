import { logExtends } from '../../protocol/identity/account-log.ts'
import { readSafetyCode, safetyNumber, type SafetySide } from '../../protocol/identity/safety-number.ts'
import { equalBytes, fromHex, toHex } from '../../protocol/wire/bytes.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import type { ReadTransaction, WriteTransaction } from '../store/client-store.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { putConversation } from './conversations.ts'
import { withAnnouncedHead } from './contact-logs.ts'
import type { Core } from './core.ts'
import { withTrust } from './device-change.ts'
import type { Effects } from './effects.ts'
import type { SafetyVerdict } from './engine-api.ts'
import { requireAccount } from './identity.ts'
import { encryptWaiting } from './resend.ts'
import { sendingSession } from './sessions.ts'
import { isHeld } from './trust.ts'

const requireContact = async (tx: ReadTransaction, conversationId: string): Promise<ContactRow> => {
  const conversation = await tx.get(conversationTable, [fromHex(conversationId)])
  const contact = conversation && (await tx.get(contactTable, [conversation.contactId]))
  if (!contact) throw new Error('this conversation does not exist here')
  return contact
}

const numberWith = async (
  tx: ReadTransaction,
  core: Core,
  { contactId, head }: ContactRow,
): Promise<{ digits: string; qr: Uint8Array }> => {
  const own = await requireAccount(tx)
  return safetyNumber({ accountId: own.accountId, head: own.head }, { accountId: contactId, head }, core.crypto)
}

export const readSafetyNumber = (core: Core, conversationId: string): Promise<{ digits: string; qr: Uint8Array }> =>
  core.store.read(async (tx) => numberWith(tx, core, await requireContact(tx, conversationId)))

/** What waited for the person's yes goes on: receipts, messages, and a session if there is none with these keys yet. */
const release = async (tx: WriteTransaction, core: Core, effects: Effects, contact: ContactRow): Promise<void> => {
  const name = toHex(contact.contactId)
  effects.receipts.add(name)
  effects.routes.add(name)
  effects.chores.add('sessions').add('repairs')
  if (await sendingSession(tx, contact, core.now())) {
    await encryptWaiting(tx, core, await requireAccount(tx), contact, effects)
  }
}

const verifyStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  stored: ContactRow,
  verified: boolean,
): Promise<void> => {
  const { verification: _, ...plain } = stored
  const { devices, head } = stored
  const contact: ContactRow = verified ? { ...plain, verification: { atMs: core.now(), head, devices } } : plain
  tx.put(contactTable, contact)
  const conversation = await tx.get(conversationTable, [contact.conversationId])
  if (conversation) putConversation(tx, effects, withTrust(conversation, contact))
  if (isHeld(stored)) await release(tx, core, effects, contact)
}

/**
 * The person says that they have compared what was shown, which is a yes to the keys the contact has now: what was held back
 * leaves; or (null) that they have not any more, which is never a yes to other keys. False, and nothing has changed: the keys
 * are others than those shown (the code tells, the digits are the same for all keys of an account).
 */
export const setVerified = (core: Core, conversationId: string, shown: Uint8Array | null): Promise<boolean> =>
  core.commit(async (tx, effects) => {
    const contact = await requireContact(tx, conversationId)
    if (shown === null ? isHeld(contact) : !equalBytes((await numberWith(tx, core, contact)).qr, shown)) return false
    await verifyStep(tx, core, effects, contact, shown !== null)
    return true
  })

/** A yes to the keys the contact has now without comparing: what was held back leaves, and nobody is verified. */
export const acceptKeys = (core: Core, conversationId: string): Promise<void> =>
  core.commit(async (tx, effects) => verifyStep(tx, core, effects, await requireContact(tx, conversationId), false))

const readSides = (code: Uint8Array): readonly SafetySide[] | 'version' | 'not-a-code' => {
  try {
    return readSafetyCode(code)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    return cause.code === 'version' ? 'version' : 'not-a-code'
  }
}

/** Holds the heads in a code against what is known here: each side's own head is never older than what others have of it. */
const judge = (
  own: { readonly log: Uint8Array; readonly head: Uint8Array },
  contact: ContactRow,
  seen: { readonly own: Uint8Array; readonly contact: Uint8Array },
): SafetyVerdict => {
  if (!equalBytes(seen.own, own.head) && !logExtends(own.log, seen.own)) return 'conflict'
  if (!equalBytes(seen.contact, contact.head)) {
    const older = contact.log.length > 0 && logExtends(contact.log, seen.contact)
    return older ? 'conflict' : 'older-here'
  }
  return equalBytes(seen.own, own.head) ? 'match' : 'older-there'
}

/** What the code on the contact's screen says of the two accounts; a match marks the contact as verified. */
export const compareSafety = async (core: Core, conversationId: string, code: Uint8Array): Promise<SafetyVerdict> => {
  const sides = readSides(code)
  if (typeof sides === 'string') return sides
  return core.commit(async (tx, effects) => {
    const contact = await requireContact(tx, conversationId)
    const account = await requireAccount(tx)
    const headOf = (id: Uint8Array): Uint8Array | undefined =>
      sides.find(({ accountId }) => equalBytes(accountId, id))?.head
    const [own, theirs] = [headOf(account.accountId), headOf(contact.contactId)]
    if (!own || !theirs) return 'other-people'
    const verdict = judge(account, contact, { own, contact: theirs })
    if (verdict === 'match') {
      // The code holds the heads: it has shown which of two histories is the contact's own, which digits do not.
      const { forked: _, ...known } = contact
      await verifyStep(tx, core, effects, known, true)
    }
    if (verdict === 'older-here') {
      tx.put(contactTable, withAnnouncedHead(contact, theirs))
      effects.chores.add('contacts')
    }
    return verdict
  })
}
