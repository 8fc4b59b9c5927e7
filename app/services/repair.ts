import { maxRepairIds } from '../../protocol/content/body.ts'
import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import type { ProtocolErrorCode } from '../../protocol/wire/error.ts'
import { dayMs, hourMs, mailboxRetentionMs } from '../../protocol/wire/limits.ts'
import type { ReadTransaction, WriteTransaction } from '../store/client-store.ts'
import type { AccountRow } from '../store/records/account.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { failureTable, type FailureRow } from '../store/records/failure.ts'
import { remoteDeviceTable, type RemoteDeviceRow } from '../store/records/remote-device.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import { requireAccount } from './identity.ts'
import { readSendingDevice, wantHandshake } from './remote-devices.ts'
import { decideRepair, isHandshakeDue, isSignOfLoss, repairLevel } from './repair-decision.ts'
import { renew, undelivered } from './resend.ts'
import { dispatchControl, sendingSession } from './sessions.ts'
import { sinceMs } from './timers.ts'

/**
 * 400 envelopes of a contact are remembered in an hour: two full askings. More than that at once is a flood, and what was
 * real in it is offered again by its sender.
 */
const maxFailuresPerHour = 400

/** 2 days: a copy of what was asked for may still be on its way, and must not start another repair. */
const askedKeptMs = 2 * dayMs

/** Whether this failure is to be asked for: new, or asked for so long ago that the asking must be lost. */
const isNews = (known: FailureRow | undefined, core: Core): boolean =>
  !known || (known.askedAtMs !== undefined && sinceMs(core.now(), known.askedAtMs) >= core.pace.repairMs[0])

/** Counts one more failure of the device; undefined: too many in this hour. */
const count = (row: RemoteDeviceRow, now: number): RemoteDeviceRow | undefined => {
  const isSameHour = now >= row.countedAtMs && now - row.countedAtMs < hourMs
  if (!isSameHour) return { ...row, failures: 1, countedAtMs: now }
  return row.failures < maxFailuresPerHour ? { ...row, failures: row.failures + 1 } : undefined
}

/**
 * An envelope that came on this contact's own lane or link did not open: it is written down, to be asked for, and a new
 * session wanted if it is time for one. See "Repair" in the README of this folder.
 */
export const noteFailure = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  contactId: Uint8Array,
  envelopeId: Uint8Array,
  code: ProtocolErrorCode,
): Promise<void> => {
  const contact = await tx.get(contactTable, [contactId])
  if (!isSignOfLoss(code) || contact?.state !== 'accepted') return
  const device = await readSendingDevice(tx, contact)
  if (!device || !isNews(await tx.get(failureTable, [contactId, envelopeId]), core)) return
  const now = core.now()
  const counted = count(device, now)
  if (!counted) return
  tx.put(remoteDeviceTable, counted)
  tx.put(failureTable, { contactId, envelopeId, atMs: now })
  const hasSession = (await sendingSession(tx, contact, now)) !== undefined
  const decision = decideRepair(counted, hasSession, now, core.pace.repairMs)
  if (hasSession) effects.chores.add('repairs')
  if (decision !== 'ask') wantHandshake(tx, effects, counted, 'repair')
}

/** Asks for up to 200 envelopes that did not open; the number asked for. */
const ask = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contactId: Uint8Array,
  effects: Effects,
): Promise<number> => {
  const contact = await tx.get(contactTable, [contactId])
  const waiting = await tx.list(failureTable, { prefix: [contactId] })
  const failed = waiting.filter((row) => row.askedAtMs === undefined).slice(0, maxRepairIds)
  if (!contact || failed.length === 0) return 0
  const body = { kind: 'repair', envelopeIds: failed.map((row) => row.envelopeId) } as const
  await dispatchControl(tx, core, account, contact, body, effects)
  for (const row of failed) tx.put(failureTable, { ...row, askedAtMs: core.now() })
  return failed.length
}

/**
 * Asks a contact on the session there is; a handshake that is about to be made will ask by itself, one that is wanted but not
 * due yet must not hold this up. True: there is more.
 */
const askStep = async (tx: WriteTransaction, core: Core, effects: Effects, contactId: Uint8Array): Promise<boolean> => {
  if (!core.continuity.confirmed) return false
  const contact = await tx.get(contactTable, [contactId])
  if (contact?.state !== 'accepted' || !(await sendingSession(tx, contact, core.now()))) return false
  const device = await readSendingDevice(tx, contact)
  if (!device || isHandshakeDue(device, core.now(), core.pace.repairMs)) return false
  return (await ask(tx, core, await requireAccount(tx), contactId, effects)) === maxRepairIds
}

/**
 * Asks every contact for what is written down as failed and not asked for yet, after waiting a moment: failures come in
 * swarms, and one asking names 200 of them.
 */
export const askForFailed = async (core: Core): Promise<boolean> => {
  await new Promise<void>((resolve) => void core.timers.after(core.pace.askMs, resolve))
  const rows = await core.store.read((tx) => tx.list(failureTable))
  const contacts = new Set(rows.filter((row) => row.askedAtMs === undefined).map((row) => toHex(row.contactId)))
  for (const contactId of [...contacts].map(fromHex))
    while (await core.commit((tx, effects) => askStep(tx, core, effects, contactId)));
  return true
}

/** A repair or renewal has made this session: what it brings first, and what is moved over to it. */
export const beginOnNewSession = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  { contactId, inviteLanes }: ContactRow,
  device: RemoteDeviceRow,
  effects: Effects,
): Promise<void> => {
  const isRepair = device.handshake === 'repair'
  tx.put(remoteDeviceTable, { ...(isRepair ? countRepair(device, core.now()) : device), handshake: 'none' })
  const asked = await ask(tx, core, account, contactId, effects)
  if (asked === maxRepairIds) effects.chores.add('repairs')
  const contact = await tx.get(contactTable, [contactId])
  if (!contact) return
  const rows = await undelivered(tx, contactId)
  // An invite's lane takes few envelopes: one brings the session, and the contact asks for the others.
  const moved = inviteLanes ? rows.slice(0, 1) : rows
  await renew(tx, core, account, contact, moved, isRepair, effects)
  if (asked === 0 && moved.length === 0) {
    await dispatchControl(tx, core, account, contact, { kind: 'profile' }, effects)
  }
}

const countRepair = (device: RemoteDeviceRow, now: number): RemoteDeviceRow => ({
  ...device,
  repairs: repairLevel(device, now) + 1,
  repairedAtMs: now,
})

/** A handshake could not be made with what the relays gave: the next attempt waits as if it had been. */
export const noteFailedRepair = async (tx: WriteTransaction, core: Core, contact: ContactRow): Promise<void> => {
  const device = await readSendingDevice(tx, contact)
  if (device && device.handshake !== 'none') tx.put(remoteDeviceTable, countRepair(device, core.now()))
}

/** Hourly: forgets what was asked for so long ago that no copy of it can be on its way. */
export const sweepFailures = async (tx: WriteTransaction, now: number): Promise<void> => {
  for (const row of await tx.list(failureTable)) {
    // What could never be asked for is of no use once no mailbox can hold it any more.
    const isOver = row.askedAtMs === undefined ? now - row.atMs > mailboxRetentionMs : now - row.askedAtMs > askedKeptMs
    if (isOver) tx.delete(failureTable, [row.contactId, row.envelopeId])
  }
}

/** Devices of a contact with which a handshake is to be made. */
export const wantedHandshakes = (tx: ReadTransaction, contactId: Uint8Array): Promise<RemoteDeviceRow[]> =>
  tx.list(remoteDeviceTable, { prefix: [contactId] }).then((rows) => rows.filter((row) => row.handshake !== 'none'))
