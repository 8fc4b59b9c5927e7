import { verifyAccountLog, logExtends } from '../../protocol/identity/account-log.ts'
import type { PrekeyBundle } from '../../protocol/identity/prekeys.ts'
import { initiateSession } from '../../protocol/session/session.ts'
import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import { ProtocolError } from '../../protocol/wire/error.ts'
import { secondMs } from '../../protocol/wire/limits.ts'
import type { WriteTransaction } from '../store/client-store.ts'
import type { AccountRow } from '../store/records/account.ts'
import { contactTable, type ContactRow } from '../store/records/contact.ts'
import { messageIndex, messageTable } from '../store/records/message.ts'
import { outboxTable, type OutboxRow } from '../store/records/outbox.ts'
import { withLog } from './contacts.ts'
import type { Core } from './core.ts'
import { note } from './diagnostics.ts'
import { noteOutbox, type Effects } from './effects.ts'
import type { Problem } from './engine-api.ts'
import { localIdentity, requireAccount } from './identity.ts'
import { addSession, encryptFor, readSessions, sendingSession, type Saying } from './sessions.ts'
import { backOff } from './timers.ts'

/** What an outbox row without an envelope says. */
const sayingOf = async (tx: WriteTransaction, core: Core, row: OutboxRow): Promise<Saying | undefined> => {
  if (!row.messageId) {
    return { messageId: core.random(16), sentAtMs: core.now(), sequence: 0, body: { kind: 'profile' }, announce: true }
  }
  const message = await tx.find(messageTable, messageIndex(row.conversationId, true, row.messageId))
  if (message?.text === undefined) return undefined
  const { messageId, sentAtMs, sequence, text } = message
  return { messageId, sentAtMs, sequence, body: { kind: 'text', text } }
}

/** Encrypts, in order, what was written to a contact before there was a session. */
export const encryptWaiting = async (
  tx: WriteTransaction,
  core: Core,
  account: AccountRow,
  contact: ContactRow,
  effects: Effects,
): Promise<void> => {
  for (const row of await tx.list(outboxTable, { prefix: [contact.contactId] })) {
    if (row.envelope) continue
    const saying = await sayingOf(tx, core, row)
    const envelope = saying && (await encryptFor(tx, core, account, contact, saying, effects))
    if (!envelope) continue
    tx.put(outboxTable, { ...row, envelope })
    noteOutbox(effects, contact.contactId, row.number)
  }
}

/** Session, opening and everything that waited, in one transaction; no second session if another context was quicker. */
const initiateStep = async (
  tx: WriteTransaction,
  core: Core,
  effects: Effects,
  fetched: { contactId: Uint8Array; log: Uint8Array; bundles: readonly PrekeyBundle[] },
): Promise<void> => {
  const stored = await tx.get(contactTable, [fetched.contactId])
  if (!stored) return
  const account = await requireAccount(tx)
  if (await sendingSession(tx, stored)) return encryptWaiting(tx, core, account, stored, effects)
  const contact = withLog(stored, fetched.log)
  const [device] = contact.devices
  const bundle = device && fetched.bundles.find((one) => equalBytes(one.deviceId, device.deviceId))
  if (!bundle) throw new ProtocolError('unknown-prekey', 'the relay has no prekeys of the contact')
  const now = core.now()
  const known = (await readSessions(tx, contact.contactId)).map((session) => session.generation)
  const session = initiateSession({
    local: localIdentity(account),
    remoteAccountId: contact.contactId,
    remoteDevice: device,
    bundle,
    generation: Math.max(Math.floor(now / secondMs), ...known.map((generation) => generation + 1)),
    now,
    random: core.random,
    crypto: core.crypto,
  })
  await addSession(tx, session, now)
  tx.put(contactTable, contact)
  effects.routes.add(toHex(contact.contactId))
  await encryptWaiting(tx, core, account, contact, effects)
}

/** `missing`: every relay was reached, and none has the account. */
const startOne = async (
  core: Core,
  { contactId, mailboxes, head }: ContactRow,
): Promise<'started' | 'failed' | 'missing'> => {
  const network = core.network()
  let missing = 0
  for (const relay of network ? mailboxes : []) {
    const log = await network?.fetchLog(relay, contactId)
    if (!log?.ok) {
      if (log?.refusal === 'not-found') missing++
      continue
    }
    try {
      // Checked before one-time prekeys are spent on it, and again in the step.
      if (!equalBytes(verifyAccountLog(log.value).accountId, contactId) || !logExtends(log.value, head)) {
        throw new ProtocolError('conflict', 'the account log is not the one the invite names')
      }
      const bundles = await network?.fetchBundles(relay, contactId)
      if (!bundles?.ok) continue
      await core.commit((tx, effects) =>
        initiateStep(tx, core, effects, { contactId, log: log.value, bundles: bundles.value }),
      )
      return 'started'
    } catch (cause) {
      if (!(cause instanceof ProtocolError)) throw cause
      await note(core, 'invite', cause.code, 'a session could not be started with what the relay gave')
    }
  }
  return missing > 0 && missing === mailboxes.length ? 'missing' : 'failed'
}

const waitingContacts = (core: Core): Promise<ContactRow[]> =>
  core.store.read(async (tx) => {
    const contacts: ContactRow[] = []
    for (const contact of await tx.list(contactTable)) {
      if (contact.state !== 'accepted') continue
      const rows = await tx.list(outboxTable, { prefix: [contact.contactId] })
      if (rows.some((row) => !row.envelope)) contacts.push(contact)
    }
    return contacts
  })

const accountMissing: Problem = {
  code: 'account-not-found',
  message: 'This invite’s account is not at its relay any more. Ask for a new link.',
}

/**
 * Starts the sessions that outbox rows wait for; the answer is false while one could not be started. An account that is
 * gone is told once, and asked for ever more rarely: it may come back, as its relay may have lost it. `again` is called
 * when that time has come.
 */
export const createSessionStarter = (core: Core, again: () => void): (() => Promise<boolean>) => {
  const attempts = new Map<string, number>()
  const resting = new Set<string>()

  const rest = async (contact: string): Promise<void> => {
    const attempt = attempts.get(contact) ?? 0
    attempts.set(contact, attempt + 1)
    resting.add(contact)
    core.timers.after(backOff(core.random, attempt, core.pace.accountMissingMs), () => {
      resting.delete(contact)
      again()
    })
    if (attempt > 0) return
    await note(core, 'invite', 'account-not-found', 'no relay of a contact has its account')
    core.emit({ kind: 'problem', problem: accountMissing })
  }

  return async () => {
    let complete = true
    for (const contact of await waitingContacts(core)) {
      const name = toHex(contact.contactId)
      if (resting.has(name)) continue
      const outcome = await startOne(core, contact)
      if (outcome === 'missing') await rest(name)
      else if (outcome === 'failed') complete = false
    }
    return complete
  }
}
