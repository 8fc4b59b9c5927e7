import { replaceDevice, setRelays, verifyAccountLog } from '../../protocol/identity/account-log.ts'
import { createDevice, type DeviceSecrets } from '../../protocol/identity/device.ts'
import { mailboxIdOf } from '../../protocol/relay/mailbox-id.ts'
import { equalBytes } from '../../protocol/wire/bytes.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import { accountTable, maxRetiredDevices, type AccountRow, type RetiredDevice } from '../store/records/account.ts'
import { laneTable, spareLanes } from '../store/records/lane.ts'
import { publicationTable } from '../store/records/publication.ts'
import { closeSessions } from './close-sessions.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import type { Outcome, ProfileView } from './engine-api.ts'
import { readAccount } from './identity.ts'
import { grantToAll, stockLanes } from './lanes.ts'
import { rotatePrekeys } from './prekey-upkeep.ts'
import { refuse } from './problems.ts'
import { profileView, relayViews } from './views.ts'

/** Nothing of the old device may be on its way to a relay: only its own key could bring it there. */
const whyNot = async (tx: WriteTransaction, account: AccountRow): Promise<string | undefined> => {
  if ((account.retired?.length ?? 0) >= maxRetiredDevices) {
    return 'These keys have been replaced several times lately. Wait some weeks; what is on its way to the old ones still arrives.'
  }
  const waiting = (await tx.list(laneTable)).filter((lane) => !lane.registered)
  const settled = account.relays.every(
    ({ logPublished, mailboxId }) => logPublished && !waiting.some((lane) => equalBytes(lane.mailboxId, mailboxId)),
  )
  return settled && !account.unannounced
    ? undefined
    : 'Your relay does not have everything of the present keys yet. Try again when you are connected.'
}

const retire = ({ device, relays, left = [], nextPrekeyId }: AccountRow, now: number): RetiredDevice => ({
  device,
  mailboxes: [...relays, ...left].map(({ relayKey, addresses, mailboxId, mailboxSecret }) => ({
    relayKey,
    addresses,
    mailboxId,
    mailboxSecret,
  })),
  untilPrekeyId: nextPrekeyId,
  retiredAtMs: now,
})

/** The account with the new device in the old one's place, at fresh mailboxes: a mailbox belongs to the key that registered it. */
const moved = (core: Core, { left, ...account }: AccountRow, device: DeviceSecrets): AccountRow => {
  const now = core.now()
  const relays = account.relays.map((own) => {
    const mailboxSecret = core.random(32)
    return {
      ...own,
      mailboxSecret,
      mailboxId: mailboxIdOf(mailboxSecret, core.crypto),
      logPublished: false,
      untold: true,
    }
  })
  const records = relays.map(({ relayKey, addresses, mailboxId }) => ({
    relayKey,
    addresses,
    mailboxes: [{ deviceId: device.deviceId, mailboxId }],
  }))
  const replaced = replaceDevice(account.log, account.device, device, now, core.crypto)
  const log = setRelays(replaced, records, device, now, core.crypto)
  return {
    ...account,
    device,
    log,
    head: verifyAccountLog(log, core.crypto).head,
    relays,
    keysSinceMs: now,
    retired: [...(account.retired ?? []), retire({ ...account, ...(left ? { left } : {}) }, now)],
    unannounced: true,
  }
}

/**
 * New device key, identity key, prekeys and mailboxes, in one transaction. The old device stays, to collect and to open what
 * is on its way to it (`retired-devices.ts`); contacts are told when the relays have everything (`publish.ts`). The network
 * must not run with the old keys meanwhile.
 */
export const replaceKeysStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
): Promise<Outcome<ProfileView>> => {
  const account = await readAccount(tx)
  if (!account) return refuse('unknown', 'There is no account on this device yet.')
  const reason = await whyNot(tx, account)
  if (reason !== undefined) return refuse('relay-unreachable', reason)
  const next = moved(core, account, createDevice(core.random, core.crypto))
  tx.put(accountTable, next)
  await closeSessions(tx, core, effects)
  for (const lane of await tx.findAll(laneTable, spareLanes)) tx.delete(laneTable, [lane.laneHash])
  for (const row of await tx.list(publicationTable)) tx.delete(publicationTable, [row.relayKey, row.id])
  await stockLanes(tx, core, next, effects)
  await grantToAll(tx, core, next, effects)
  const ready = await rotatePrekeys(tx, core, next, effects)
  const profile = profileView(ready)
  effects.events.push({ kind: 'profile', profile })
  effects.events.push({ kind: 'relays', relays: relayViews(ready, core.presence) })
  return { ok: true, value: profile }
}
