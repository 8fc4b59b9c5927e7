import { conversationIdOf } from '../../protocol/content/content.ts'
import {
  decodeInvite,
  encodeInvite,
  inviteLane,
  inviteLaneEnvelopes,
  type Invite,
} from '../../protocol/envelope/invite.ts'
import { laneHash } from '../../protocol/envelope/lane.ts'
import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import { dayMs, mailboxRetentionMs } from '../../protocol/wire/limits.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import type { AccountRow } from '../store/records/account.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { inviteTable, type InviteRow } from '../store/records/invite.ts'
import { laneTable } from '../store/records/lane.ts'
import { outboxTable } from '../store/records/outbox.ts'
import { withAnnouncedHead } from './contact-logs.ts'
import { newContact } from './contacts.ts'
import { newConversation, putConversation } from './conversations.ts'
import type { Core } from './core.ts'
import { advance } from './delivery.ts'
import type { Effects } from './effects.ts'
import type { InvitePreview, Outcome } from './engine-api.ts'
import { readAccount } from './identity.ts'
import { problemOf, refuse } from './problems.ts'
import { dispatchControl, sendingSession } from './sessions.ts'

/** 30 days (PROTOCOL 1): as long as an envelope waits. */
const inviteLifetimeMs = 30 * dayMs

/** Whether nothing made with the invite can be on its way any more: deposited on its last day, an envelope waits that long. */
export const isSpent = ({ expiresAtMs }: InviteRow, now: number): boolean => now > expiresAtMs + mailboxRetentionMs

/** Forgets invites that are spent, with their lanes. */
export const sweepInvites = async (tx: WriteTransaction, now: number): Promise<void> => {
  for (const invite of await tx.list(inviteTable)) {
    if (!isSpent(invite, now)) continue
    for (const lane of await tx.findAll(laneTable, invite.secret)) tx.delete(laneTable, [lane.laneHash])
    tx.delete(inviteTable, [invite.secret])
  }
}

/** Makes an invite with its lanes, which are registered later; undefined before onboarding. */
export const createInvite = (core: Core): Promise<{ fragment: string; secret: Uint8Array } | undefined> =>
  core.commit(async (tx, effects) => {
    const account = await readAccount(tx)
    if (!account) return undefined
    const now = core.now()
    const secret = core.random(32)
    const expiresAtMs = now + inviteLifetimeMs
    tx.put(inviteTable, { secret, createdAtMs: now, expiresAtMs })
    for (const { relayKey, mailboxId } of account.relays) {
      const lane = inviteLane(secret, relayKey, mailboxId, core.crypto)
      tx.put(laneTable, {
        laneHash: laneHash(lane, core.crypto),
        lane,
        relayKey,
        mailboxId,
        inviteSecret: secret,
        envelopes: inviteLaneEnvelopes,
        expiresAtMs,
        registered: false,
        createdAtMs: now,
      })
    }
    effects.chores.add('publish')
    const relays = account.relays.map(({ relayKey, addresses, mailboxId }) => ({ relayKey, addresses, mailboxId }))
    return { fragment: encodeInvite({ accountId: account.accountId, head: account.head, relays, secret }), secret }
  })

const readInvite = (fragment: string): Outcome<Invite> => {
  try {
    return { ok: true, value: decodeInvite(fragment) }
  } catch (cause) {
    if (cause instanceof ProtocolError && cause.code === 'version') {
      return refuse('version', 'This invite was made by a newer Sotto. Reload the page to get it.')
    }
    return refuse('invite-invalid', 'This invite is incomplete or damaged. Ask for a new link, and copy all of it.')
  }
}

/** What an invite says, without side effects. */
export const previewInvite = async (core: Core, fragment: string): Promise<Outcome<InvitePreview>> => {
  const invite = readInvite(fragment)
  if (!invite.ok) return invite
  const { accountId, relays } = invite.value
  const account = await core.store.read(readAccount)
  if (account && equalBytes(account.accountId, accountId))
    return refuse('invite-own', 'This is your own invite. Send it to somebody else.')
  return {
    ok: true,
    value: { accountId: toHex(accountId), relayAddresses: relays.flatMap((relay) => relay.addresses) },
  }
}

/** The invite's mailboxes, reached by the lanes its secret opens. */
const invitedMailboxes = (core: Core, { relays, secret }: Invite): ContactRow['mailboxes'] =>
  relays.map((relay) => ({ ...relay, lane: inviteLane(secret, relay.relayKey, relay.mailboxId, core.crypto) }))

/**
 * A further invite of somebody we know: a way to them, if its mailboxes are new to us. Both sides may have lost every relay
 * they knew of each other. The ways known before stay, because nothing has shown yet that the new ones lead anywhere; the
 * contact's log is asked for there, our lanes are told through it, and what waits is offered again. The first lanes that the
 * contact tells take the place of all of it.
 */
const reachAnew = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  account: AccountRow,
  stored: ContactRow,
  invite: Invite,
): Promise<void> => {
  const isKnown = ({ mailboxId }: { mailboxId: Uint8Array }): boolean =>
    stored.mailboxes.some((known) => equalBytes(known.mailboxId, mailboxId))
  const fresh = invitedMailboxes(core, invite).filter((mailbox) => !isKnown(mailbox))
  if (fresh.length === 0) return
  const contact: ContactRow = {
    ...withAnnouncedHead(stored, invite.head),
    mailboxes: [
      ...fresh.map((mailbox) => ({ ...mailbox, unproven: true })),
      ...stored.mailboxes.filter((mailbox) => !mailbox.unproven),
    ],
    unprovenRow: stored.nextOutbox,
    // An opening that nobody has answered yet proves itself by the invite that was opened last.
    ...(stored.inviteSecret ? { inviteSecret: invite.secret } : {}),
  }
  tx.put(contactTable, contact)
  effects.routes.add(toHex(contact.contactId))
  effects.chores.add('contacts').add('sessions')
  await dispatchControl(tx, core, account, contact, { kind: 'lanes' }, effects)
  for (const row of await tx.list(outboxTable, { prefix: [contact.contactId] })) {
    await advance(tx, core, effects, row, { kind: 'hurried' })
  }
}

const acceptStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  invite: Invite,
): Promise<Outcome<{ conversationId: string }>> => {
  const account = await readAccount(tx)
  if (!account) return refuse('unknown', 'There is no account on this device yet.')
  const { accountId: contactId, head, secret } = invite
  if (equalBytes(contactId, account.accountId))
    return refuse('invite-own', 'This is your own invite. Send it to somebody else.')
  const conversationId = conversationIdOf(account.accountId, contactId, core.crypto)
  const stored = await tx.get(contactTable, [contactId])
  const conversation = await tx.get(conversationTable, [conversationId])
  const outcome = { ok: true, value: { conversationId: toHex(conversationId) } } as const
  if (stored?.state === 'accepted') {
    if (conversation) putConversation(tx, effects, conversation)
    await reachAnew(tx, core, effects, account, stored, invite)
    return outcome
  }
  const now = core.now()
  const reached = { mailboxes: invitedMailboxes(core, invite), inviteLanes: true, inviteSecret: secret }
  const contact: ContactRow = stored
    ? { ...stored, state: 'accepted', ...(stored.mailboxes.length > 0 ? {} : reached) }
    : newContact(
        contactId,
        conversationId,
        { state: 'accepted', head, log: new Uint8Array(0), devices: [], ...reached },
        now,
      )
  tx.put(contactTable, contact)
  const shown = { ...(conversation ?? newConversation(conversationId, contactId, now, false)), hidden: false }
  putConversation(tx, effects, contact.name === undefined ? shown : { ...shown, name: contact.name })
  // The opening, if there is no session yet; else the answer that a request was waiting for.
  await dispatchControl(tx, core, account, contact, { kind: 'profile' }, effects)
  if (!(await sendingSession(tx, contact, now))) effects.chores.add('sessions')
  return outcome
}

/** The conversation exists as soon as this answers; log, prekeys and session follow by themselves, however long it takes. */
export const acceptInvite = async (core: Core, fragment: string): Promise<Outcome<{ conversationId: string }>> => {
  const invite = readInvite(fragment)
  if (!invite.ok) return invite
  try {
    return await core.commit((tx, effects) => acceptStep(tx, core, effects, invite.value))
  } catch (cause) {
    return { ok: false, problem: problemOf(cause) }
  }
}
