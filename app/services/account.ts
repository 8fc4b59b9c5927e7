import { cleanName } from '../../protocol/content/name.ts'
import { createAccount as createLog, setRelays, verifyAccountLog } from '../../protocol/identity/account-log.ts'
import { createDevice } from '../../protocol/identity/device.ts'
import { mailboxIdOf } from '../../protocol/relay/mailbox-id.ts'
import type { Network } from '../../signaling/network.ts'
import { accountTable, type AccountRow } from '../store/records/account.ts'
import { chooseRelay, type ChosenRelay } from './choose-relay.ts'
import { announceToAll } from './contacts.ts'
import type { Core } from './core.ts'
import type { Outcome, ProfileView } from './engine-api.ts'
import { readAccount } from './identity.ts'
import { stockLanes } from './lanes.ts'
import { problemOf, refuse } from './problems.ts'
import { rotatePrekeys } from './prekey-upkeep.ts'
import { profileView, relayViews } from './views.ts'

/** The shape in which a name is stored and sent, or the reason why it cannot be. */
const checkName = (name: string): Outcome<string> => {
  const clean = cleanName(name)
  return clean === ''
    ? refuse('unknown', 'A name needs at least one letter, digit or sign.')
    : { ok: true, value: clean }
}

/** Device, account with this relay, and everything the first contact needs: secrets first, in one transaction. */
const createStep = (core: Core, name: string, { relayKey, info, addresses }: ChosenRelay): Promise<AccountRow> =>
  core.commit(async (tx, effects) => {
    const existing = await readAccount(tx)
    if (existing) return existing
    const now = core.now()
    const device = createDevice(core.random, core.crypto)
    const created = createLog({ device, now, random: core.random }, core.crypto)
    const mailboxSecret = core.random(32)
    const mailboxId = mailboxIdOf(mailboxSecret, core.crypto)
    const own = { relayKey, addresses: [...addresses], mailboxId }
    const record = { relayKey, addresses: own.addresses, mailboxes: [{ deviceId: device.deviceId, mailboxId }] }
    const log = setRelays(created.log, [record], device, now, core.crypto)
    const account: AccountRow = {
      accountId: created.accountId,
      device,
      log,
      head: verifyAccountLog(log, core.crypto).head,
      recoverySecret: created.recoverySecret,
      name,
      relays: [{ ...own, name: info.name, logPublished: false, mailboxSecret }],
      createdAtMs: now,
      nextPrekeyId: 1,
    }
    tx.setAccount(account.accountId)
    tx.put(accountTable, account)
    await stockLanes(tx, core, account, effects)
    const ready = await rotatePrekeys(tx, core, account, effects)
    effects.events.push({ kind: 'profile', profile: profileView(ready) })
    effects.events.push({ kind: 'relays', relays: relayViews(ready, core.presence) })
    return ready
  })

/**
 * Onboarding with a name and a relay's addresses. Everything is stored before anything is published; publishing then goes on
 * by itself, also after a crash. Once there is an account, it is the answer.
 */
export const createAccount = async (
  core: Core,
  network: Network,
  name: string,
  addresses: readonly string[],
): Promise<Outcome<ProfileView>> => {
  const clean = checkName(name)
  if (!clean.ok) return clean
  const relay = await chooseRelay(network, addresses)
  if (!relay.ok) return relay
  try {
    return { ok: true, value: profileView(await createStep(core, clean.value, relay.value)) }
  } catch (cause) {
    return { ok: false, problem: problemOf(cause) }
  }
}

/** A new display name, stored and on its way to every contact. */
export const setName = async (core: Core, name: string): Promise<Outcome<ProfileView>> => {
  const clean = checkName(name)
  if (!clean.ok) return clean
  try {
    return await core.commit(async (tx, effects) => {
      const account = await readAccount(tx)
      if (!account) return refuse('unknown', 'There is no account on this device yet.')
      const renamed = { ...account, name: clean.value }
      tx.put(accountTable, renamed)
      await announceToAll(tx, core, effects, 'profile')
      const profile = profileView(renamed)
      effects.events.push({ kind: 'profile', profile })
      return { ok: true as const, value: profile }
    })
  } catch (cause) {
    return { ok: false, problem: problemOf(cause) }
  }
}
