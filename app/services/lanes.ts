import { laneHash } from '../../protocol/envelope/lane.ts'
import type { ContentLanes } from '../../protocol/content/content.ts'
import { equalBytes } from '../../protocol/wire/bytes.ts'
import { dayMs } from '../../protocol/wire/limits.ts'
import type { WriteTransaction } from '../store/client-store.ts'
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

/** The lanes this contact may use, one per own mailbox; given out now if there were none. */
export const lanesForContact = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contactId: Uint8Array,
  effects: Effects,
): Promise<ContentLanes> => {
  const given = await tx.findAll(laneTable, contactId)
  const lanes: ContentLanes['lanes'] = []
  for (const relay of account.relays) {
    let lane = current(given, relay)
    if (!lane) {
      // A registered spare works the moment the contact learns it; a fresh one only after the relay has it too.
      const spares = (await tx.findAll(laneTable, spareLanes)).filter((row) => isInto(relay, row))
      lane = { ...(spares.find((row) => row.registered) ?? spares[0] ?? createLane(core, relay)), contactId }
      tx.put(laneTable, lane)
      await stockLanes(tx, core, account, effects)
    }
    lanes.push({ relayKey: relay.relayKey, addresses: relay.addresses, mailboxId: relay.mailboxId, lane: lane.lane })
  }
  return { lanes }
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
