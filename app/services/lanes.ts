import { laneHash } from '../../protocol/envelope/lane.ts'
import type { ContentLanes } from '../../protocol/content/content.ts'
import { equalBytes } from '../../protocol/wire/bytes.ts'
import { dayMs } from '../../protocol/wire/limits.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { contactTable } from '../store/records/contact.ts'
import type { AccountRow, OwnRelay } from '../store/records/account.ts'
import { laneTable, spareLanes, type LaneRow } from '../store/records/lane.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'

/** 4 ready lanes per mailbox: new contacts come one at a time, and each is replaced at once. */
const sparesPerRelay = 4

/** A lane is replaced after 30 days and then valid for 30 more: whoever copied it loses it, whoever slept still arrives. */
const laneLifetimeMs = 30 * dayMs

const createLane = (core: Core, { relayKey, mailboxId }: OwnRelay): LaneRow => {
  const lane = core.random(32)
  return {
    laneHash: laneHash(lane, core.crypto),
    lane,
    relayKey,
    mailboxId,
    registered: false,
    createdAtMs: core.now(),
  }
}

const isInto = ({ relayKey, mailboxId }: OwnRelay, lane: LaneRow): boolean =>
  equalBytes(lane.relayKey, relayKey) && equalBytes(lane.mailboxId, mailboxId)

/** Keeps some lanes ready that the relays already know. */
export const stockLanes = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  effects: Effects,
): Promise<void> => {
  const spares = await tx.findAll(laneTable, spareLanes)
  for (const relay of account.relays) {
    const ready = spares.filter((lane) => isInto(relay, lane)).length
    for (let i = ready; i < sparesPerRelay; i++) tx.put(laneTable, createLane(core, relay))
    if (ready < sparesPerRelay) effects.chores.add('publish')
  }
}

const current = (lanes: readonly LaneRow[], relay: OwnRelay): LaneRow | undefined =>
  lanes.find((lane) => isInto(relay, lane) && lane.expiresAtMs === undefined)

/** The lanes this contact may use, one per own relay; given out now if there were none. */
const grantLanes = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contactId: Uint8Array,
  effects: Effects,
): Promise<{ relay: OwnRelay; lane: LaneRow }[]> => {
  const given = await tx.findAll(laneTable, contactId)
  const granted: { relay: OwnRelay; lane: LaneRow }[] = []
  for (const relay of account.relays) {
    let lane = current(given, relay)
    if (!lane) {
      // A registered spare works the moment the contact learns it; a fresh one only after the relay has it too.
      const spares = (await tx.findAll(laneTable, spareLanes)).filter((row) => isInto(relay, row))
      lane = { ...(spares.find((row) => row.registered) ?? spares[0] ?? createLane(core, relay)), contactId }
      tx.put(laneTable, lane)
      await stockLanes(tx, core, account, effects)
    }
    granted.push({ relay, lane })
  }
  return granted
}

/** A lane for each accepted contact into each own mailbox, so that the relays have them before any contact is told. */
export const grantToAll = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  effects: Effects,
): Promise<void> => {
  for (const { contactId, state } of await tx.list(contactTable)) {
    if (state === 'accepted') await grantLanes(tx, core, account, contactId, effects)
  }
  effects.chores.add('publish')
}

/**
 * What this contact is told of our mailboxes: those at relays that were found ready once (`publish.ts`). A relay says yes to
 * what comes by a lane it does not know, and drops it.
 */
export const lanesForContact = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contactId: Uint8Array,
  effects: Effects,
): Promise<ContentLanes> => {
  const granted = await grantLanes(tx, core, account, contactId, effects)
  const told = granted.filter(({ relay }) => relay.untold !== true)
  const lanes = (told.length > 0 ? told : granted).map(({ relay, lane: { lane } }) => {
    const { relayKey, addresses, mailboxId } = relay
    return { relayKey, addresses, mailboxId, lane }
  })
  return { lanes }
}

/** The lanes into a mailbox that is being left: spare ones go, given ones open it for as long as something may be under way. */
export const endLanesInto = async (tx: WriteTransaction, relay: OwnRelay, expiresAtMs: number): Promise<void> => {
  for (const lane of await tx.list(laneTable)) {
    if (!isInto(relay, lane)) continue
    if (!lane.contactId && !lane.inviteSecret) tx.delete(laneTable, [lane.laneHash])
    // Only noted here: the relay, which may be gone, needs to know nothing of it.
    else if (lane.expiresAtMs === undefined) tx.put(laneTable, { ...lane, expiresAtMs })
  }
}

/** Forgets all lanes into a mailbox that is not collected any more. */
export const forgetLanesInto = async (tx: WriteTransaction, mailboxId: Uint8Array): Promise<void> => {
  for (const lane of await tx.list(laneTable)) {
    if (equalBytes(lane.mailboxId, mailboxId)) tx.delete(laneTable, [lane.laneHash])
  }
}

/**
 * Ends lanes of the contact that are older than 30 days (they stay valid 30 more) and forgets those that have run out.
 * True when new ones must be sent.
 */
export const rotateLanes = async (
  tx: WriteTransaction,
  core: Core,
  contactId: Uint8Array,
  effects: Effects,
): Promise<boolean> => {
  const now = core.now()
  let ended = false
  for (const lane of await tx.findAll(laneTable, contactId)) {
    if (lane.expiresAtMs !== undefined) {
      if (lane.expiresAtMs < now) tx.delete(laneTable, [lane.laneHash])
    } else if (now - lane.createdAtMs > laneLifetimeMs) {
      tx.put(laneTable, { ...lane, expiresAtMs: now + laneLifetimeMs, registered: false })
      effects.chores.add('publish')
      ended = true
    }
  }
  return ended
}
