import { conversationIdOf, decodeContent, type Content } from '../../protocol/content/content.ts'
import { inviteProof } from '../../protocol/envelope/invite.ts'
import { logExtends, verifyAccountLog } from '../../protocol/identity/account-log.ts'
import type { DeviceRecord } from '../../protocol/identity/device.ts'
import type { PrekeySecret } from '../../protocol/identity/prekeys.ts'
import {
  decryptMessage,
  readEnvelope,
  respondToHandshake,
  type EnvelopeSummary,
  type Session,
} from '../../protocol/session/session.ts'
import { equalBytes } from '../../protocol/wire/bytes.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import type { ReadTransaction } from '../store/client-store.ts'
import type { AccountRow } from '../store/records/account.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { handshakeTable } from '../store/records/handshake.ts'
import { inviteTable, type InviteRow } from '../store/records/invite.ts'
import { prekeyKey, prekeyTable } from '../store/records/prekey.ts'
import { sessionTable } from '../store/records/session.ts'
import type { Core } from './core.ts'
import { localIdentity } from './identity.ts'
import { isSpent } from './invites.ts'
import { deviceOfPrekey } from './retired-devices.ts'
import { readSessions } from './sessions.ts'
import { sameDevices } from './trust.ts'

/**
 * 2,000 header keys are tried with an envelope of somebody unknown (2 ms, or 40 until libsodium has loaded): six for most
 * sessions, 201 for one with the most gaps that it may have. The sessions of the contact that its way names come before that.
 */
const maxHeaderKeysTried = 2_000

/** An envelope that opened, with everything its acceptance will need. Nothing is written yet. */
export interface Opened {
  readonly session: Session
  readonly content: Content
  /** Present when it opened a new session. */
  readonly handshake?: {
    readonly tag: Uint8Array
    readonly prekeyIds: Extract<EnvelopeSummary, { kind: 'prekey' }>['prekeyIds']
    readonly log: Uint8Array
    readonly head: Uint8Array
    readonly devices: readonly DeviceRecord[]
    /** It was sealed to a device of ours that has been replaced since. */
    readonly toRetired: boolean
    /** The invite whose secret the sender has shown to know. */
    readonly invite?: InviteRow
  }
}

const refuse = (code: 'foreign' | 'signature' | 'conflict' | 'unknown-prekey', reason: string): never => {
  throw new ProtocolError(code, reason)
}

const readContent = (core: Core, account: AccountRow, remoteAccountId: Uint8Array, plaintext: Uint8Array): Content => {
  const content = decodeContent(plaintext)
  if (!equalBytes(content.conversationId, conversationIdOf(account.accountId, remoteAccountId, core.crypto))) {
    refuse('foreign', 'the content belongs to another conversation')
  }
  return content
}

const openWith = (core: Core, account: AccountRow, session: Session, envelope: Uint8Array): Opened => {
  const opened = decryptMessage(session, envelope, { now: core.now(), crypto: core.crypto })
  return { session: opened.session, content: readContent(core, account, session.remoteAccountId, opened.plaintext) }
}

/** Every session but the hinted contact's, most recently used first, as many as may be tried. */
const otherSessions = async (tx: ReadTransaction, hint: Uint8Array | undefined): Promise<Session[]> => {
  const rows = await tx.list(sessionTable)
  const sessions = rows
    .filter((row) => !hint || !equalBytes(row.contactId, hint))
    .sort((a, b) => b.usedAtMs - a.usedAtMs)
    .map((row) => row.state)
  return withinBudget(sessions)
}

/** The first sessions that have `maxHeaderKeysTried` header keys between them. */
export const withinBudget = (sessions: readonly Session[]): Session[] => {
  let keys = 0
  return sessions.filter(({ ratchet }) => {
    keys += ratchet.receiving.length + 1
    return keys <= maxHeaderKeysTried
  })
}

const tryAll = (
  core: Core,
  account: AccountRow,
  sessions: readonly Session[],
  envelope: Uint8Array,
): Opened | undefined => {
  for (const session of sessions) {
    try {
      return openWith(core, account, session, envelope)
    } catch (cause) {
      // Only "not mine" goes on to the next session; everything else is this session's verdict.
      if (!(cause instanceof ProtocolError) || cause.code !== 'foreign') throw cause
    }
  }
  return undefined
}

const requirePrekey = async (tx: ReadTransaction, id: number): Promise<PrekeySecret> =>
  (await tx.get(prekeyTable, prekeyKey(id))) ?? refuse('unknown-prekey', 'the handshake names a prekey that is gone')

/** The log in the opening must name exactly the initiator that the handshake proved. */
const verifyInitiator = (
  core: Core,
  log: Uint8Array,
  initiator: { accountId: Uint8Array; deviceId: Uint8Array; identityKey: Uint8Array; head: Uint8Array },
): { head: Uint8Array; devices: readonly DeviceRecord[] } => {
  const view = verifyAccountLog(log, core.crypto)
  const device = view.devices.find((one) => equalBytes(one.deviceId, initiator.deviceId))
  if (!equalBytes(view.accountId, initiator.accountId)) refuse('signature', 'the log is of another account')
  if (!device || !equalBytes(device.identityKey, initiator.identityKey)) {
    refuse('signature', 'the log does not list the initiating device')
  }
  if (!logExtends(log, initiator.head)) refuse('conflict', 'the log does not reach the head of the handshake')
  return view
}

interface KnownLog {
  readonly log: Uint8Array
  readonly head: Uint8Array
  readonly devices: readonly DeviceRecord[]
}

/**
 * The log of an opening, or the one already known where that is newer: the opening was under way while the account went on,
 * and with the same devices nothing about it has changed. @throws ProtocolError `conflict` when neither is a part of the other.
 */
const newerLog = (contact: ContactRow | undefined, told: KnownLog): KnownLog => {
  if (!contact || logExtends(told.log, contact.head)) return told
  const isPart = contact.log.length > 0 && logExtends(contact.log, told.head)
  return isPart && sameDevices(contact.devices, told.devices)
    ? contact
    : refuse('conflict', 'the log does not extend the one known')
}

const respond = async (
  tx: ReadTransaction,
  core: Core,
  account: AccountRow,
  envelope: Uint8Array,
  { handshakeTag: tag, prekeyIds }: Extract<EnvelopeSummary, { kind: 'prekey' }>,
): Promise<Opened> => {
  const signed = await requirePrekey(tx, prekeyIds.signed)
  const kem = await requirePrekey(tx, prekeyIds.kem)
  const oneTime = prekeyIds.oneTime === undefined ? undefined : await requirePrekey(tx, prekeyIds.oneTime)
  const device = deviceOfPrekey(account, prekeyIds.signed)
  const answered = respondToHandshake({
    local: localIdentity({ ...account, device }),
    envelope,
    prekeys: { signed, kem, ...(oneTime ? { oneTime } : {}) },
    now: core.now(),
    crypto: core.crypto,
  })
  const { accountId } = answered.initiator
  if (equalBytes(accountId, account.accountId)) refuse('foreign', 'the handshake comes from this account itself')
  const content = readContent(core, account, accountId, answered.plaintext)
  const { opening } = content
  if (!opening) return refuse('signature', 'the first body holds no account log')
  const told = verifyInitiator(core, opening.log, answered.initiator)
  const { log, head, devices } = newerLog(await tx.get(contactTable, [accountId]), { ...told, log: opening.log })
  const proof = opening.inviteProof
  const invites = proof ? await tx.list(inviteTable) : []
  const live = invites.filter((row) => !isSpent(row, core.now()))
  const invite = live.find((row) => proof && equalBytes(inviteProof(row.secret, accountId, core.crypto), proof))
  const toRetired = device !== account.device
  const handshake = { tag, prekeyIds, log, head, devices, toRetired, ...(invite ? { invite } : {}) }
  return { session: answered.session, content, handshake }
}

/**
 * Finds out whose envelope it is and opens it: by known handshake, by the hinted contact's sessions, by all others, or as a
 * new handshake. Reads only: whatever it throws, nothing has changed.
 * @throws ProtocolError when it is nobody's, repeated, damaged or a lie.
 */
export const openEnvelope = async (
  tx: ReadTransaction,
  core: Core,
  account: AccountRow,
  envelope: Uint8Array,
  hint: Uint8Array | undefined,
): Promise<Opened> => {
  const summary = readEnvelope(envelope, core.crypto)
  if (summary.kind === 'prekey') {
    const row = await tx.find(sessionTable, summary.handshakeTag)
    if (row) return openWith(core, account, row.state, envelope)
    // Answered before, and the session is gone: answering again would make the same keys again.
    if (await tx.get(handshakeTable, [summary.handshakeTag])) refuse('foreign', 'the session of the handshake is gone')
    return respond(tx, core, account, envelope, summary)
  }
  return (
    tryAll(core, account, hint ? await readSessions(tx, hint) : [], envelope) ??
    tryAll(core, account, await otherSessions(tx, hint), envelope) ??
    refuse('foreign', 'no session opens the envelope')
  )
}
