import { bundleVersions, type PrekeyBundle } from '../../protocol/identity/prekeys.ts'
import { initiateSession } from '../../protocol/session/session.ts'
import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import { hourMs, secondMs } from '../../protocol/wire/limits.ts'
import { negotiate, ownVersions } from '../../protocol/wire/versions.ts'
import type { Network, RelayAddress } from '../../signaling/network.ts'
import type { ReadTransaction, WriteTransaction } from '../store/client-store.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { outboxTable } from '../store/records/outbox.ts'
import { remoteDeviceTable, type RemoteDeviceRow } from '../store/records/remote-device.ts'
import { fetchLogs, noteContradiction, withLog } from './contact-logs.ts'
import type { Core } from './core.ts'
import { stageOf } from './delivery-state.ts'
import { note } from './diagnostics.ts'
import { followDevices } from './device-change.ts'
import type { Effects } from './effects.ts'
import type { Problem } from './engine-api.ts'
import { localIdentity, readAccount, requireAccount } from './identity.ts'
import type { Pace } from './pace.ts'
import { readRemoteDevice, readSendingDevice } from './remote-devices.ts'
import { isHandshakeDue, nextRepairAtMs } from './repair-decision.ts'
import { beginOnNewSession, noteFailedRepair, wantedHandshakes } from './repair.ts'
import { encryptWaiting } from './resend.ts'
import { addSession, readSessions, sendingSession } from './sessions.ts'
import { backOff, sinceMs } from './timers.ts'
import { isHeld } from './trust.ts'
import type { SessionObstacle } from './waiting-reason.ts'

/** No version is common to both sides. */
class VersionGap extends Error {
  override readonly name = 'VersionGap'
  readonly side: 'update-here' | 'update-there'

  constructor(side: VersionGap['side']) {
    super('there is no common version')
    this.side = side
  }
}

/**
 * What the contact's log says, before anything else is asked for: a relay that keeps back prekeys does not keep us writing to a
 * device that is gone. What waits for a session that is there already leaves. True: a handshake is to be made.
 */
const learnLog = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  contactId: Uint8Array,
  log: Uint8Array,
): Promise<boolean> => {
  const stored = await tx.get(contactTable, [contactId])
  if (!stored) return false
  const contact = await followDevices(tx, core, effects, stored, withLog(core, stored, log))
  tx.put(contactTable, contact)
  effects.routes.add(toHex(contactId))
  // Other keys than the verified ones: the person has been told, and what was written waits for a yes.
  if (isHeld(contact)) return false
  if (await needsHandshake(tx, core, contact)) return true
  await encryptWaiting(tx, core, await requireAccount(tx), contact, effects)
  return false
}

/** Whether there is no session to send on, or another one is wanted by now. */
const needsHandshake = async (tx: ReadTransaction, core: Core, contact: ContactRow): Promise<boolean> => {
  const remote = await readSendingDevice(tx, contact)
  const isWanted = remote !== undefined && isHandshakeDue(remote, core.now(), core.pace.repairMs)
  return isWanted || (await sendingSession(tx, contact, core.now())) === undefined
}

/** Session, opening and everything that waited, in one transaction; no second session if another context was quicker. */
const initiateStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  contactId: Uint8Array,
  bundles: readonly PrekeyBundle[],
): Promise<void> => {
  const contact = await tx.get(contactTable, [contactId])
  if (!contact || isHeld(contact)) return
  const account = await requireAccount(tx)
  if (!(await needsHandshake(tx, core, contact))) return encryptWaiting(tx, core, account, contact, effects)
  const [device] = contact.devices
  const bundle = device && bundles.find((one) => equalBytes(one.deviceId, device.deviceId))
  if (!bundle) throw new ProtocolError('unknown-prekey', 'the relay has no prekeys of the contact')
  const version = negotiate(ownVersions, bundleVersions(bundle))
  if (typeof version !== 'number') throw new VersionGap(version)
  const remote = await readRemoteDevice(tx, contactId, device.deviceId)
  const now = core.now()
  const known = (await readSessions(tx, contact.contactId)).map((session) => session.generation)
  const session = initiateSession({
    local: localIdentity(account),
    remoteAccountId: contact.contactId,
    remoteDevice: device,
    bundle,
    generation: Math.max(Math.floor(now / secondMs), ...known.map((generation) => generation + 1)),
    seenSignedAtMs: remote.signedSeenAtMs,
    now,
    random: core.random,
    crypto: core.crypto,
  })
  await addSession(tx, session, now)
  // A device whose clock ran ahead must not be refused once it is right again: nothing later than now is remembered.
  const signedSeenAtMs = Math.max(remote.signedSeenAtMs, Math.min(now, bundle.signedPrekey.createdAtMs))
  const seen = { ...remote, signedSeenAtMs }
  tx.put(remoteDeviceTable, seen)
  if (remote.handshake !== 'none') await beginOnNewSession(tx, core, account, contact, seen, effects)
  await encryptWaiting(tx, core, account, contact, effects)
}

/** `missing`: every relay was reached, and none has the account. */
type Outcome = 'started' | SessionObstacle

/** One relay that has the log. Undefined: it has no prekeys now. @throws VersionGap. */
const startAt = async (
  core: Core,
  network: Network,
  { contactId }: ContactRow,
  relay: RelayAddress,
  log: Uint8Array,
): Promise<'started' | 'unusable' | undefined> => {
  try {
    // One-time prekeys are asked for only when one will be used.
    if (!(await core.commit((tx, effects) => learnLog(tx, core, effects, contactId, log)))) return 'started'
    const bundles = await network.fetchBundles(relay, contactId)
    if (!bundles.ok) return undefined
    await core.commit((tx, effects) => initiateStep(tx, core, effects, contactId, bundles.value))
    return 'started'
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    await note(core, 'invite', cause.code, 'a session could not be started with what the relay gave')
    if (cause.code === 'conflict') {
      await core.commit((tx, effects) => noteContradiction(tx, core, effects, contactId, log))
    }
    return 'unusable'
  }
}

/** The first relay that gives what is needed is taken; one that is dead, behind or knows nothing delays no other. */
const startOne = async (core: Core, contact: ContactRow): Promise<Outcome> => {
  const network = core.network()
  let [asked, missing] = [0, 0]
  let failure: Outcome = 'failed'
  if (!network) return failure
  try {
    for await (const { relay, result } of fetchLogs(network, contact)) {
      asked++
      if (!result.ok) {
        if (result.refusal === 'not-found') missing++
        continue
      }
      const outcome = await startAt(core, network, contact, relay, result.value)
      if (outcome === 'started') return outcome
      if (outcome) failure = outcome
    }
  } catch (cause) {
    if (cause instanceof VersionGap) return cause.side
    throw cause
  }
  return asked > 0 && missing === asked ? 'missing' : failure
}

/** Contacts something waits for, and when the next repair that is wanted may begin. */
const waitingContacts = (core: Core): Promise<{ contacts: ContactRow[]; nextAtMs: number }> =>
  core.store.read(async (tx) => {
    const contacts: ContactRow[] = []
    const isDue = (device: RemoteDeviceRow): boolean => isHandshakeDue(device, core.now(), core.pace.repairMs)
    let nextAtMs = Number.POSITIVE_INFINITY
    // Until the relays have our new mailbox and its lanes, an answer could not reach us.
    if ((await readAccount(tx))?.unannounced) return { contacts, nextAtMs }
    if (!core.continuity.confirmed) return { contacts, nextAtMs }
    for (const contact of await tx.list(contactTable)) {
      if (contact.state !== 'accepted' || isHeld(contact)) continue
      const rows = await tx.list(outboxTable, { prefix: [contact.contactId] })
      const wanted = await wantedHandshakes(tx, contact.contactId)
      for (const device of wanted) {
        if (!isDue(device)) nextAtMs = Math.min(nextAtMs, nextRepairAtMs(device, core.pace.repairMs))
      }
      if (rows.some((row) => stageOf(row) === 'unsealed') || wanted.some(isDue)) contacts.push(contact)
    }
    return { contacts, nextAtMs }
  })

/** What the person is told, once, when a session cannot be started; the others are not theirs to mend. */
const problemFor = (outcome: Outcome, { name = 'This contact' }: ContactRow): Problem | undefined => {
  switch (outcome) {
    case 'missing':
      return {
        code: 'account-not-found',
        message: 'This invite’s account is not at its relay any more. Ask for a new link.',
      }
    case 'update-here':
      return {
        code: 'version',
        message: `${name} uses a newer version of Sotto. Reload the page to get it; what you write waits until then.`,
      }
    case 'update-there':
      return {
        code: 'version',
        message: `${name} uses an older version of Sotto that this one cannot write to. What you write waits until they update.`,
      }
    case 'started':
    case 'failed':
    case 'unusable':
      return undefined
  }
}

/** Each attempt may cost the contact a one-time prekey, so what will not be different soon is tried rarely. */
const restBounds = (outcome: Outcome, { accountMissingMs, repairMs }: Pace): Pace['repairMs'] =>
  outcome === 'update-here' || outcome === 'update-there' ? repairMs : accountMissingMs

/** An hour: a timer holds 31 bits of milliseconds, and looking once an hour costs nothing. */
const longestTimerMs = hourMs

interface SessionStarter {
  readonly work: () => Promise<boolean>
  /** The person does not want to wait for the next attempt with this contact (hex). */
  readonly hurry: (contact: string) => void
}

/**
 * Starts the sessions that outbox rows or repairs wait for; the answer is false while one could not be started. What the
 * relays gave and is of no use is told once, and tried again ever more rarely: an account may come back, and a contact be
 * updated. `again` is called when that time has come.
 */
export const createSessionStarter = (core: Core, again: () => void): SessionStarter => {
  const attempts = new Map<string, number>()
  /** Contacts (hex) that are left in peace, with what the last attempt gave and when it was. */
  const resting = new Map<string, { readonly outcome: Outcome; readonly atMs: number }>()
  let cancelNext: (() => void) | undefined

  const rest = async (contact: ContactRow, outcome: Outcome): Promise<void> => {
    const name = toHex(contact.contactId)
    const attempt = attempts.get(name) ?? 0
    attempts.set(name, attempt + 1)
    resting.set(name, { outcome, atMs: core.now() })
    core.timers.after(backOff(core.random, attempt, restBounds(outcome, core.pace)), () => {
      resting.delete(name)
      again()
    })
    await core.commit((tx) => noteFailedRepair(tx, core, contact))
    const problem = problemFor(outcome, contact)
    if (attempt > 0 || !problem) return
    await note(core, 'invite', problem.code, 'no session can be started with what the relays have')
    core.emit({ kind: 'problem', problem })
  }

  const work = async (): Promise<boolean> => {
    let complete = true
    const { contacts, nextAtMs } = await waitingContacts(core)
    cancelNext?.()
    if (nextAtMs < Number.POSITIVE_INFINITY) {
      cancelNext = core.timers.after(Math.min(Math.max(0, nextAtMs - core.now()), longestTimerMs), again)
    }
    for (const contact of contacts) {
      const name = toHex(contact.contactId)
      if (resting.has(name)) continue
      const outcome = await startOne(core, contact)
      core.presence.sessions.set(name, outcome === 'started' ? undefined : outcome)
      if (outcome === 'failed') complete = false
      else if (outcome === 'started') attempts.delete(name)
      else await rest(contact, outcome)
    }
    return complete
  }

  return {
    work,
    hurry: (contact) => {
      const last = resting.get(contact)
      // What the relays gave has cost the contact a one-time prekey: once an hour is the most that impatience may take.
      const isFree = last?.outcome === 'missing' || (last && sinceMs(core.now(), last.atMs) >= core.pace.repairMs[0])
      if (isFree) resting.delete(contact)
      again()
    },
  }
}
