import { signedPublicKey } from '../../protocol/identity/prekeys.ts'
import { maxPrekeysPerCall } from '../../protocol/relay/prekey-calls.ts'
import { equalBytes } from '../../protocol/wire/bytes.ts'
import type { LaneGrant, Network, NetworkResult } from '../../signaling/network.ts'
import { accountTable, type AccountRow, type OwnRelay } from '../store/records/account.ts'
import { laneTable, type LaneRow } from '../store/records/lane.ts'
import { publicationTable } from '../store/records/publication.ts'
import type { Core } from './core.ts'
import { note } from './diagnostics.ts'
import { readAccount } from './identity.ts'
import { announceToAll } from './contacts.ts'
import { hasLostAccount, startAgainAt } from './prekey-upkeep.ts'

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
    const rows = await core.store.read((tx) => tx.list(publicationTable, range))
    if (rows.length === 0) return true
    const prekeys = rows.map((row) => signedPublicKey.decode(row.prekey))
    const result = await network.publishPrekeys(relay, owner, prekeys)
    if (await failed(core, 'prekeys not published', result)) {
      if (hasLostAccount(result)) await startAgainAt(core, relay)
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

/**
 * Brings to each own relay what it lacks: account log, lanes, then prekeys (which a relay checks against the log). What
 * is left to do stands in the store, so it goes on where it stopped, whatever stopped it. False while something is left.
 */
export const publishAll = async (core: Core): Promise<boolean> => {
  const network = core.network()
  const account = await core.store.read(readAccount)
  if (!account || !network) return true
  const done = await Promise.all(
    account.relays.map(
      async (relay) =>
        (await publishLog(core, network, account, relay)) &&
        (await registerLanes(core, network, relay)) &&
        (await publishPrekeys(core, network, account, relay)),
    ),
  )
  const complete = done.every(Boolean)
  if (complete && account.unannounced) await announceKeys(core, account)
  return complete
}

/** The relays have the new keys, mailboxes and lanes: now contacts may hear of them, and answer. */
const announceKeys = (core: Core, { head }: AccountRow): Promise<void> =>
  core.commit(async (tx, effects) => {
    const account = await readAccount(tx)
    if (!account?.unannounced || !equalBytes(account.head, head)) return
    const { unannounced: _, ...announced } = account
    tx.put(accountTable, announced)
    await announceToAll(tx, core, effects, 'lanes')
    effects.chores.add('sessions')
  })

/** Whether every relay has what a first contact with this invite needs; one-time prekeys may still be on their way. */
export const isReadyFor = (core: Core, inviteSecret: Uint8Array): Promise<boolean> =>
  core.store.read(async (tx) => {
    const account = await readAccount(tx)
    if (!account?.relays.every((relay) => relay.logPublished)) return false
    for (const { relayKey } of account.relays) {
      // Ascending by id: the signed and last-resort prekeys of onboarding are the first ones made.
      const [first] = await tx.list(publicationTable, { prefix: [relayKey], limit: 1 })
      if (first && signedPublicKey.decode(first.prekey).kind === 'signed') return false
    }
    return (await tx.findAll(laneTable, inviteSecret)).every((lane) => lane.registered)
  })
