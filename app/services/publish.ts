import { signedPublicKey } from '../../protocol/identity/prekeys.ts'
import { maxPrekeysPerCall } from '../../protocol/relay/prekey-calls.ts'
import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import type { LaneGrant, Network, NetworkResult } from '../../signaling/network.ts'
import type { ReadTransaction } from '../store/client-store.ts'
import { accountTable, type AccountRow, type OwnRelay } from '../store/records/account.ts'
import { laneTable, type LaneRow } from '../store/records/lane.ts'
import { publicationTable } from '../store/records/publication.ts'
import type { Core } from './core.ts'
import { note } from './diagnostics.ts'
import { readAccount, requireAccount } from './identity.ts'
import { announceToAll } from './contacts.ts'
import { isAway } from './presence.ts'
import { hasLostAccount, isPresentDevice, startAgainAt } from './prekey-upkeep.ts'

/** 500 lanes per call at the relay; 100 is more than a day of new contacts. */
const lanesPerCall = 100

const failed = async (core: Core, what: string, result: NetworkResult<unknown>): Promise<boolean> => {
  if (result.ok) return false
  // Being offline is a state, not an event: it is shown elsewhere.
  if (result.reason !== 'offline') await note(core, 'relay', result.reason, what)
  return true
}

const publishLog = async (
  core: Core,
  network: Network,
  { accountId, log }: AccountRow,
  relay: OwnRelay,
): Promise<boolean> => {
  if (relay.logPublished) return true
  const result = await network.publishLog(relay, log)
  if (await failed(core, 'account log not published', result)) return false
  await core.commit(async (tx, effects) => {
    const account = await readAccount(tx)
    if (!account || !equalBytes(account.accountId, accountId) || !equalBytes(account.log, log)) return
    const relays = account.relays.map((own) =>
      equalBytes(own.relayKey, relay.relayKey) ? { ...own, logPublished: true } : own,
    )
    tx.put(accountTable, { ...account, relays })
    effects.chores.add('prekeys')
  })
  return true
}

const publishPrekeys = async (core: Core, network: Network, account: AccountRow, relay: OwnRelay): Promise<boolean> => {
  const owner = { accountId: account.accountId, deviceId: account.device.deviceId }
  for (;;) {
    const range = { prefix: [relay.relayKey], limit: maxPrekeysPerCall }
    const rows = await core.store.read(async (tx) =>
      (await isPresentDevice(tx, owner)) ? tx.list(publicationTable, range) : undefined,
    )
    // The keys were replaced meanwhile: what waits now is another device's, and its log goes first.
    if (!rows) return false
    if (rows.length === 0) return true
    const prekeys = rows.map((row) => signedPublicKey.decode(row.prekey))
    const result = await network.publishPrekeys(relay, owner, prekeys)
    if (await failed(core, 'prekeys not published', result)) {
      if (hasLostAccount(result)) await startAgainAt(core, relay, owner)
      return false
    }
    await core.commit(async (tx) => {
      for (const row of rows) tx.delete(publicationTable, [row.relayKey, row.id])
    })
  }
}

const grantOf = ({ laneHash, envelopes, expiresAtMs }: LaneRow): LaneGrant => ({
  laneHash,
  ...(envelopes === undefined ? {} : { envelopes }),
  ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
})

const registerLanes = async (core: Core, network: Network, relay: OwnRelay): Promise<boolean> => {
  for (;;) {
    const all = await core.store.read((tx) => tx.list(laneTable))
    const lanes = all
      .filter((lane) => !lane.registered && equalBytes(lane.mailboxId, relay.mailboxId))
      .slice(0, lanesPerCall)
    if (lanes.length === 0) return true
    if (await failed(core, 'lanes not registered', await network.setLanes(relay, lanes.map(grantOf)))) return false
    await core.commit(async (tx) => {
      for (const lane of lanes) {
        const stored = await tx.get(laneTable, [lane.laneHash])
        if (stored && stored.expiresAtMs === lane.expiresAtMs) tx.put(laneTable, { ...stored, registered: true })
      }
    })
  }
}

/** What of ours the relay does not have yet; `prekeys` counts one-time ones as well. */
export const lackingAt = async (
  tx: ReadTransaction,
  { relayKey, mailboxId, logPublished }: OwnRelay,
): Promise<('log' | 'lanes' | 'prekeys')[]> => {
  const lanes = await tx.list(laneTable)
  const [prekey] = await tx.list(publicationTable, { prefix: [relayKey], limit: 1 })
  return [
    ...(logPublished ? [] : ['log' as const]),
    ...(lanes.some((lane) => !lane.registered && equalBytes(lane.mailboxId, mailboxId)) ? ['lanes' as const] : []),
    ...(prekey ? ['prekeys' as const] : []),
  ]
}

/** Whether the relay has all that contacts and newcomers need of it; one-time prekeys may still be on their way. */
const isReady = async (tx: ReadTransaction, { relayKey, mailboxId, logPublished }: OwnRelay): Promise<boolean> => {
  if (!logPublished) return false
  const waiting = await tx.list(publicationTable, { prefix: [relayKey] })
  const kinds = waiting.map((row) => signedPublicKey.decode(row.prekey).kind)
  if (kinds.includes('signed') || kinds.includes('last-resort-kem')) return false
  return (await tx.list(laneTable)).every((lane) => lane.registered || !equalBytes(lane.mailboxId, mailboxId))
}

/**
 * Brings to each own relay what it lacks: account log, lanes, then prekeys (which a relay checks against the log). What
 * is left to do stands in the store, so it goes on where it stopped, whatever stopped it. False while something is left.
 * `onProgress` is called when one relay has had its turn, so that nobody waits for another one that does not answer.
 */
export const publishAll = async (core: Core, onProgress: () => void): Promise<boolean> => {
  const network = core.network()
  const account = await core.store.read(readAccount)
  if (!account || !network) return true
  const tried = new Set<string>()
  const done = await Promise.all(
    account.relays.map(async (relay) => {
      const complete =
        !isAway(core, relay) &&
        (await publishLog(core, network, account, relay)) &&
        (await registerLanes(core, network, relay)) &&
        (await publishPrekeys(core, network, account, relay))
      tried.add(toHex(relay.relayKey))
      await announceMailboxes(core, tried)
      onProgress()
      return complete
    }),
  )
  return done.every(Boolean)
}

/**
 * Tells contacts of mailboxes that they do not know yet, or not to use those any more that are gone. Invariants:
 * 1. Nobody is told of a mailbox before its relay had everything (`isReady`): what came by an unknown lane would be lost.
 * 2. Told is whatever is ready as soon as one relay is, and every other one is ready, has had its turn in this round or is
 *    not connected. So nobody waits for a relay that is dead, and usually one message tells all.
 * 3. A relay that gets ready later is told of then. One that was told of before is told on, also while it is away: what it
 *    had when it went is there when it comes back.
 */
const announceMailboxes = (core: Core, tried: ReadonlySet<string>): Promise<void> =>
  core.commit(async (tx, effects) => {
    const account = await readAccount(tx)
    if (!account?.unannounced && !account?.relays.some(({ untold }) => untold)) return
    const ready = new Set<OwnRelay>()
    for (const relay of account.relays) if (await isReady(tx, relay)) ready.add(relay)
    const isPending = (relay: OwnRelay): boolean => {
      const name = toHex(relay.relayKey)
      return !ready.has(relay) && !tried.has(name) && core.presence.relay(name) === 'connected'
    }
    const isNews = account.unannounced === true || [...ready].some(({ untold }) => untold)
    if (ready.size === 0 || !isNews || account.relays.some(isPending)) return
    const { unannounced: _, ...announced } = account
    const relays = account.relays.map((relay) => (ready.has(relay) ? asTold(relay) : relay))
    tx.put(accountTable, { ...announced, relays })
    await announceToAll(tx, core, effects, 'lanes')
    effects.chores.add('sessions')
  })

const asTold = ({ untold: _, ...relay }: OwnRelay): OwnRelay => relay

/** Whether a relay has what a first contact needs, and so has every other one that is connected. */
export const isReadyForInvite = (core: Core): Promise<boolean> =>
  core.store.read(async (tx) => {
    const { relays } = await requireAccount(tx)
    const ready = await Promise.all(relays.map((relay) => isReady(tx, relay)))
    const isThere = (relay: OwnRelay): boolean => core.presence.relay(toHex(relay.relayKey)) === 'connected'
    return ready.includes(true) && relays.every((relay, i) => ready[i] === true || !isThere(relay))
  })
