import { setRelays, verifyAccountLog } from '../../protocol/identity/account-log.ts'
import { mailboxIdOf } from '../../protocol/relay/mailbox-id.ts'
import { equalBytes, fromHex } from '../../protocol/wire/bytes.ts'
import { mailboxRetentionMs, maxRelaysPerAccount } from '../../protocol/wire/limits.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import {
  accountTable,
  maxLeftRelays,
  type AccountRow,
  type LeftRelay,
  type OwnRelay,
} from '../store/records/account.ts'
import { publicationTable } from '../store/records/publication.ts'
import { chooseRelay, type ChosenRelay } from './choose-relay.ts'
import type { Core } from './core.ts'
import type { Effects } from './effects.ts'
import type { Outcome, RelayView } from './engine-api.ts'
import { readAccount } from './identity.ts'
import { endLanesInto, forgetLanesInto, grantToAll, stockLanes } from './lanes.ts'
import { rotatePrekeys } from './prekey-upkeep.ts'
import { problemOf, refuse } from './problems.ts'
import { relayViews } from './views.ts'

/*
 * The relays this account lives at: adding one, leaving one, both at once. The step stores everything that follows; publishing,
 * collecting and telling contacts go on from there by themselves (`publish.ts` says when contacts are told of what).
 */

/** What is to change. At least one of the two. */
interface Change {
  readonly add?: ChosenRelay
  /** Key of the relay to leave. */
  readonly leave?: Uint8Array
}

const isAt =
  (relayKey: Uint8Array) =>
  (relay: { readonly relayKey: Uint8Array }): boolean =>
    equalBytes(relay.relayKey, relayKey)

/** Why it cannot be done, in a sentence. */
const whyNot = ({ relays, left = [] }: AccountRow, { add, leave }: Change): string | undefined => {
  const kept = leave ? relays.filter((relay) => !isAt(leave)(relay)) : relays
  if (leave && kept.length === relays.length) return 'This relay is none of yours any more.'
  if (add && relays.some(isAt(add.relayKey))) return 'You already live at this relay.'
  if (add && kept.length >= maxRelaysPerAccount) {
    return `You already have ${maxRelaysPerAccount} relays. Remove one of them first.`
  }
  if (!add && kept.length === 0) return 'This is your only relay. Add another one first, or move to it.'
  if (leave && left.length >= maxLeftRelays && !(add && left.some(isAt(add.relayKey)))) {
    return 'You have left several relays lately. Wait some weeks; what is on its way to them still arrives.'
  }
  return undefined
}

/** A fresh mailbox at the relay, or the one there that is still collected because it was left not long ago. */
const mailboxAt = (core: Core, { left = [] }: AccountRow, { relayKey, info, addresses }: ChosenRelay): OwnRelay => {
  const mailboxSecret = left.find(isAt(relayKey))?.mailboxSecret ?? core.random(32)
  const mailboxId = mailboxIdOf(mailboxSecret, core.crypto)
  const place = { relayKey, addresses: [...addresses], mailboxId, mailboxSecret }
  return { ...place, name: info.name, logPublished: false, untold: true }
}

const leaving = ({ relayKey, addresses, mailboxId, mailboxSecret }: OwnRelay, leftAtMs: number): LeftRelay => ({
  relayKey,
  addresses,
  mailboxId,
  mailboxSecret,
  leftAtMs,
})

/** The account after the change, its log one entry longer. @throws ProtocolError `limit` when the log is full. */
const changed = (core: Core, account: AccountRow, { add, leave }: Change): AccountRow => {
  const now = core.now()
  const kept = account.relays.filter((relay) => !leave || !isAt(leave)(relay))
  const gone = account.relays.filter((relay) => leave && isAt(leave)(relay))
  const added = add ? [mailboxAt(core, account, add)] : []
  const relays = [...kept.map((relay) => ({ ...relay, logPublished: false })), ...added]
  const records = relays.map(({ relayKey, addresses, mailboxId }) => ({
    relayKey,
    addresses,
    mailboxes: [{ deviceId: account.device.deviceId, mailboxId }],
  }))
  const log = setRelays(account.log, records, account.device, now, core.crypto)
  const stillLeft = (account.left ?? []).filter((relay) => !added.some(isAt(relay.relayKey)))
  return {
    ...account,
    log,
    head: verifyAccountLog(log, core.crypto).head,
    relays,
    left: [...stillLeft, ...gone.map((relay) => leaving(relay, now))],
    ...(gone.length > 0 ? { unannounced: true } : {}),
  }
}

/**
 * Log entry, mailbox, lanes and prekeys in one transaction. A relay that is left loses what was still to be brought to it; its
 * mailbox stays, and is collected for as long as an envelope waits (`sweepLeftRelays`).
 */
const changeStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  change: Change,
): Promise<Outcome<readonly RelayView[]>> => {
  const account = await readAccount(tx)
  if (!account) return refuse('unknown', 'There is no account on this device yet.')
  const reason = whyNot(account, change)
  if (reason !== undefined) return refuse('relay-choice', reason)
  const next = changed(core, account, change)
  tx.put(accountTable, next)
  for (const gone of account.relays.filter((relay) => change.leave && isAt(change.leave)(relay))) {
    await endLanesInto(tx, gone, core.now() + mailboxRetentionMs)
    for (const row of await tx.list(publicationTable, { prefix: [gone.relayKey] })) {
      tx.delete(publicationTable, [row.relayKey, row.id])
    }
  }
  if (change.add) {
    await stockLanes(tx, core, next, effects)
    await grantToAll(tx, core, next, effects)
    // One-time prekeys of its own follow when the relay has the log (`topUpPrekeys`).
    await rotatePrekeys(tx, core, next, effects)
  }
  effects.chores.add('mailboxes').add('publish')
  const relays = relayViews(next, core.presence)
  effects.events.push({ kind: 'relays', relays })
  return { ok: true, value: relays }
}

const change = async (core: Core, what: Change): Promise<Outcome<readonly RelayView[]>> => {
  try {
    return await core.commit((tx, effects) => changeStep(tx, core, effects, what))
  } catch (cause) {
    return { ok: false, problem: problemOf(cause) }
  }
}

const choose = async (core: Core, addresses: readonly string[]): Promise<Outcome<ChosenRelay>> => {
  const network = core.network()
  return network
    ? chooseRelay(network, addresses)
    : refuse('relay-unreachable', 'The network did not start. Reload the page and try again.')
}

/** The account lives at one more relay. */
export const addRelay = async (core: Core, addresses: readonly string[]): Promise<Outcome<readonly RelayView[]>> => {
  const chosen = await choose(core, addresses)
  return chosen.ok ? change(core, { add: chosen.value }) : chosen
}

/** The account lives at `relayId` (hex) no longer. */
export const removeRelay = (core: Core, relayId: string): Promise<Outcome<readonly RelayView[]>> =>
  change(core, { leave: fromHex(relayId) })

/** The account lives at another relay instead of `relayId` (hex). */
export const moveRelay = async (
  core: Core,
  relayId: string,
  addresses: readonly string[],
): Promise<Outcome<readonly RelayView[]>> => {
  const chosen = await choose(core, addresses)
  return chosen.ok ? change(core, { add: chosen.value, leave: fromHex(relayId) }) : chosen
}

/** Hourly: lets go of relays that were left so long ago that nothing waits there any more. */
export const sweepLeftRelays = async (tx: WriteTransaction, now: number, effects: Effects): Promise<void> => {
  const account = await readAccount(tx)
  if (!account?.left) return
  const gone = account.left.filter(({ leftAtMs }) => now - leftAtMs > mailboxRetentionMs)
  if (gone.length === 0) return
  for (const { mailboxId } of gone) await forgetLanesInto(tx, mailboxId)
  tx.put(accountTable, { ...account, left: account.left.filter((relay) => !gone.includes(relay)) })
  effects.chores.add('mailboxes')
}
