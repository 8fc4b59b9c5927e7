import { generatePrekeys, signedPublicKey, type PrekeyKind } from '../../protocol/identity/prekeys.ts'
import { equalBytes } from '../../protocol/wire/bytes.ts'
import {
  oneTimePrekeysLow,
  oneTimePrekeysPerRelay,
  signedPrekeyRetentionMs,
  signedPrekeyRotationMs,
} from '../../protocol/wire/limits.ts'
import { ownVersions } from '../../protocol/wire/versions.ts'
import type { ReadTransaction, WriteTransaction } from '../store/client-store.ts'
import type { NetworkFailure, NetworkResult, RelayAddress } from '../../signaling/network.ts'
import { accountTable, type AccountRow } from '../store/records/account.ts'
import { handshakeTable } from '../store/records/handshake.ts'
import { laneTable } from '../store/records/lane.ts'
import { prekeyKey, prekeyTable, rotatedPrekeys } from '../store/records/prekey.ts'
import { publicationTable } from '../store/records/publication.ts'
import type { Core } from './core.ts'
import { note } from './diagnostics.ts'
import type { Effects } from './effects.ts'
import { readAccount } from './identity.ts'
import { isAway } from './presence.ts'

/** 25 per step: making ML-KEM keys and signing takes milliseconds each, and a step must not hold up messages. */
const perStep = 25

/** Makes prekeys of one kind, stores the secret halves and notes the public ones for publication, in one transaction. */
const makePrekeys = (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  { kind, count, relayKeys }: { kind: PrekeyKind; count: number; relayKeys: readonly Uint8Array[] },
  effects: Effects,
): AccountRow => {
  const { accountId, device, nextPrekeyId: firstId } = account
  const [only] = relayKeys
  const made = generatePrekeys(
    {
      accountId,
      device,
      kind,
      firstId,
      count,
      now: core.now(),
      random: core.random,
      ...(relayKeys.length === 1 && only ? { relayKey: only } : {}),
    },
    core.crypto,
  )
  for (const secret of made.secrets) tx.put(prekeyTable, secret)
  for (const relayKey of relayKeys) {
    for (const prekey of made.published)
      tx.put(publicationTable, { relayKey, id: prekey.id, prekey: signedPublicKey.encode(prekey) })
  }
  effects.chores.add('publish')
  const next = { ...account, nextPrekeyId: firstId + count }
  tx.put(accountTable, next)
  return next
}

/** A new signed prekey and last-resort KEM prekey for all relays; the ones before live on for what is still under way. */
export const rotatePrekeys = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  effects: Effects,
): Promise<AccountRow> => {
  const now = core.now()
  for (const secret of await tx.findAll(prekeyTable, rotatedPrekeys)) {
    if (secret.replacedAtMs === undefined) tx.put(prekeyTable, { ...secret, replacedAtMs: now })
  }
  const relayKeys = account.relays.map((relay) => relay.relayKey)
  const told = { ...account, toldVersion: ownVersions.newest }
  const signed = makePrekeys(tx, core, told, { kind: 'signed', count: 1, relayKeys }, effects)
  return makePrekeys(tx, core, signed, { kind: 'last-resort-kem', count: 1, relayKeys }, effects)
}

/** Rotation every 48 h and after an update; secrets go 45 days after their replacement, with the handshakes that used them. */
const rotationStep = async (tx: WriteTransaction, core: Core, effects: Effects): Promise<void> => {
  const account = await readAccount(tx)
  if (!account) return
  const now = core.now()
  const secrets = await tx.findAll(prekeyTable, rotatedPrekeys)
  for (const { id, replacedAtMs } of secrets) {
    if (replacedAtMs === undefined || now - replacedAtMs <= signedPrekeyRetentionMs) continue
    tx.delete(prekeyTable, prekeyKey(id))
    const [index] = prekeyKey(id)
    for (const row of await tx.findAll(handshakeTable, index)) tx.delete(handshakeTable, [row.handshakeTag])
  }
  const newest = Math.max(
    0,
    ...secrets.filter((secret) => secret.kind === 'signed').map((secret) => secret.createdAtMs),
  )
  // An update is told at once: until then others go by what the older version said.
  const isTold = account.toldVersion === ownVersions.newest
  if (!isTold || now - newest > signedPrekeyRotationMs) await rotatePrekeys(tx, core, account, effects)
}

/** A relay that has the account log says `not-owner` to nobody of it: one that did have it has lost its database. */
export const hasLostAccount = (result: NetworkResult<unknown>): result is NetworkFailure =>
  !result.ok && result.refusal === 'not-owner'

type DeviceAddress = Pick<AccountRow, 'accountId'> & Pick<AccountRow['device'], 'deviceId'>

/** Whether the account still has the keys in whose name something was begun. */
export const isPresentDevice = async (tx: ReadTransaction, { deviceId }: DeviceAddress): Promise<boolean> => {
  const account = await readAccount(tx)
  return account !== undefined && equalBytes(account.device.deviceId, deviceId)
}

/**
 * The relay has nothing of this account any more: everything it was given goes there again. Public halves are not stored,
 * so new signed and last-resort prekeys are made, once: while they wait, a relay that goes on refusing causes no others.
 * `asked`: in whose name the relay was asked. It says the same to a device that has just been replaced, and means nothing by it.
 */
export const startAgainAt = (core: Core, { relayKey }: RelayAddress, asked: DeviceAddress): Promise<void> =>
  core.commit(async (tx, effects) => {
    if (!(await isPresentDevice(tx, asked))) return
    const account = await readAccount(tx)
    const isIt = (other: { readonly relayKey: Uint8Array }): boolean => equalBytes(other.relayKey, relayKey)
    if (!account?.relays.some((own) => isIt(own) && own.logPublished)) return
    const relays = account.relays.map((own) => (isIt(own) ? { ...own, logPublished: false } : own))
    const next = { ...account, relays }
    tx.put(accountTable, next)
    for (const lane of await tx.list(laneTable)) {
      if (lane.registered && isIt(lane)) tx.put(laneTable, { ...lane, registered: false })
    }
    const rows = await tx.list(publicationTable, { prefix: [relayKey] })
    const waits = rows.some((row) => signedPublicKey.decode(row.prekey).kind === 'signed')
    // Rotation also starts publishing; without it, publishing has not succeeded and comes back by itself.
    if (!waits) await rotatePrekeys(tx, core, next, effects)
  })

/** Asks each relay how many one-time prekeys are left and makes up what is missing. False while a relay cannot be asked. */
export const topUpPrekeys = async (core: Core): Promise<boolean> => {
  const network = core.network()
  const account = await core.store.read(readAccount)
  if (!account || !network) return true
  await core.commit((tx, effects) => rotationStep(tx, core, effects))
  let complete = true
  for (const relay of account.relays.filter((own) => own.logPublished)) {
    if (isAway(core, relay)) {
      complete = false
      continue
    }
    const owner = { accountId: account.accountId, deviceId: account.device.deviceId }
    const left = await network.countPrekeys(relay, owner)
    if (!left.ok) {
      complete = false
      if (left.reason === 'refused') await note(core, 'relay', left.reason, 'prekeys not counted')
      if (!hasLostAccount(left)) continue
      // Once the relay has the log again, this is kicked again.
      await startAgainAt(core, relay, owner)
      continue
    }
    await makeUp(core, relay.relayKey, 'one-time', left.value.oneTime)
    await makeUp(core, relay.relayKey, 'one-time-kem', left.value.oneTimeKem)
  }
  return complete
}

const makeUp = async (core: Core, relayKey: Uint8Array, kind: PrekeyKind, atRelay: number): Promise<void> => {
  // What is made but not published yet counts too, or a relay that is away would get a new hundred at every look.
  const waiting = await core.store.read(async (tx) => {
    const rows = await tx.list(publicationTable, { prefix: [relayKey] })
    return rows.filter((row) => signedPublicKey.decode(row.prekey).kind === kind).length
  })
  if (atRelay + waiting >= oneTimePrekeysLow) return
  for (let missing = oneTimePrekeysPerRelay - atRelay - waiting; missing > 0; missing -= perStep) {
    await core.commit(async (tx, effects) => {
      const account = await readAccount(tx)
      const count = Math.min(missing, perStep)
      if (account?.relays.some((relay) => equalBytes(relay.relayKey, relayKey))) {
        makePrekeys(tx, core, account, { kind, count, relayKeys: [relayKey] }, effects)
      }
    })
  }
}
