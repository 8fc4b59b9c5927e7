import type { WriteTransaction } from '../store/client-store.ts'
import type { NetworkResult } from '../../signaling/network.ts'
import { secondMs } from '../../protocol/wire/limits.ts'
import { accountTable } from '../store/records/account.ts'
import { continuityTable } from '../store/records/continuity.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { messageIndex, messageTable } from '../store/records/message.ts'
import { outboxTable } from '../store/records/outbox.ts'
import { closeSessions } from './close-sessions.ts'
import type { Continuity, Core } from './core.ts'
import { writeDiagnostic } from './diagnostics.ts'
import type { Effects } from './effects.ts'
import { readAccount, requireAccount } from './identity.ts'
import { rotatePrekeys } from './prekey-upkeep.ts'

/*
 * Whether what is stored here is the newest there is. A profile that was copied, or restored from a backup, holds ratchets that
 * have moved on elsewhere since: sealing anything with them would use keys a second time.
 *
 * The own relays keep a counter per mailbox that never falls. This device raises it, first in its store and then there, when
 * it starts and as it goes on sending; one that finds it ahead of its own is a copy.
 *
 * 1. Nothing is encrypted before a relay has confirmed, in this run of the engine or in that of the tab that leads.
 * 2. A copy closes all its sessions for sending before it is confirmed; what was to be sent is encrypted for new ones.
 * 3. A relay that does not know (it lost its database, or is older) confirms: nobody could ever send otherwise.
 */

/**
 * Room that is left for what a newer copy has given out meanwhile: more prekeys than are made in 20 years, and more messages
 * than anybody writes in one conversation between two copies. Numbers only have to grow.
 */
const skippedPrekeys = 100_000
const skippedSequences = 1_000_000

/** The other relays get 1 s more than the first to answer: one that is away must not hold up everything. */
const othersWithinMs = secondMs

/**
 * 2^48: raised every 10 s, nobody gets there in 80 million years. What lies above is made up, and must not push the counter to
 * where it cannot be stored: then one relay could keep this device from ever sending through the others.
 */
const maxCounter = 2 ** 48

/** What a relay says: a number; `unknown`: it was reached and cannot tell; undefined: it was not reached. */
const answerOf = (result: NetworkResult<number>): number | 'unknown' | undefined => {
  if (result.ok) return result.value < maxCounter ? result.value : 'unknown'
  return result.reason === 'refused' ? 'unknown' : undefined
}

/** The greatest counter of the own relays; undefined while none can be reached. */
const askRelays = async (core: Core, counter: number): Promise<number | undefined> => {
  const network = core.network()
  const account = await core.store.read(readAccount)
  if (!network || !account) return undefined
  const answers: (number | 'unknown')[] = []
  const first = Promise.withResolvers<void>()
  const asked = account.relays.map(async (relay) => {
    const answer = answerOf(await network.advance(relay, counter))
    if (answer === undefined) return
    answers.push(answer)
    first.resolve()
  })
  const all = Promise.all(asked)
  await Promise.race([first.promise, all])
  await Promise.race([all, new Promise<void>((resolve) => void core.timers.after(othersWithinMs, resolve))])
  return answers.length === 0 ? undefined : Math.max(0, ...answers.map((answer) => (answer === 'unknown' ? 0 : answer)))
}

/** This device is a copy: nothing that a newer one may have used is used again. */
const leaveOldSessions = async (tx: WriteTransaction, core: Core, effects: Effects): Promise<void> => {
  await closeSessions(tx, core, effects)
  for (const row of await tx.list(conversationTable)) {
    tx.put(conversationTable, { ...row, nextSequence: row.nextSequence + skippedSequences })
  }
  // What was written here and has not arrived comes after everything that the newer copy wrote, too.
  for (const { conversationId, messageId } of await tx.list(outboxTable)) {
    const message = messageId && (await tx.find(messageTable, messageIndex(conversationId, true, messageId)))
    if (message) tx.put(messageTable, { ...message, sequence: message.sequence + skippedSequences })
  }
  const account = await requireAccount(tx)
  const skipped = { ...account, nextPrekeyId: account.nextPrekeyId + skippedPrekeys }
  tx.put(accountTable, skipped)
  // The signed prekey that the relays have now may be one whose secret is not here.
  await rotatePrekeys(tx, core, skipped, effects)
  await writeDiagnostic(tx, core, 'engine', 'restored', 'an older copy of this profile; sessions are begun anew')
  effects.events.push({
    kind: 'problem',
    problem: {
      code: 'restored',
      message:
        'This is an older copy of your profile. New keys are made for every conversation; what came to the other copy meanwhile is missing here.',
    },
  })
  effects.chores.add('sessions')
}

/** Stores one more than both the relays and this device have had, and returns it. */
const raiseStep = async (tx: WriteTransaction, core: Core, effects: Effects, atRelays: number): Promise<number> => {
  const counter = (await tx.get(continuityTable, [0]))?.counter ?? 0
  if (atRelays > counter) await leaveOldSessions(tx, core, effects)
  const next = Math.max(counter, atRelays) + 1
  tx.put(continuityTable, { counter: next })
  return next
}

export interface LeadersContinuity extends Continuity {
  /** Asks the relays, once in a run; false while none can be reached. */
  check(): Promise<boolean>
}

/** `onConfirmed` is called once, when this engine or the leading one has been confirmed. */
export const createContinuity = (core: () => Core, onConfirmed: () => void): LeadersContinuity => {
  let confirmed = false
  let raising = false
  let movedMeanwhile = false

  const confirm = (): void => {
    if (confirmed) return
    confirmed = true
    onConfirmed()
  }

  /** The store first: a counter that only the relay knows would make a copy of this very device. True: a relay has it. */
  const raise = async (atRelays: number): Promise<boolean> => {
    const counter = await core().commit((tx, effects) => raiseStep(tx, core(), effects, atRelays))
    return (await askRelays(core(), counter)) !== undefined
  }

  const raiseSoon = (delayMs: number): void => {
    raising = true
    core().timers.after(delayMs, () => {
      if (!core().network()) {
        raising = false
        return
      }
      movedMeanwhile = false
      raise(0)
        .catch(core().report)
        .finally(() => {
          raising = false
          if (movedMeanwhile) raiseSoon(core().pace.counterMs[1])
        })
    })
  }

  return {
    get confirmed() {
      return confirmed
    },
    confirm,
    moved: () => {
      movedMeanwhile = true
      if (!raising) raiseSoon(core().pace.counterMs[0])
    },
    check: async () => {
      if (confirmed) return true
      const [account, row] = await core().store.read((tx) =>
        Promise.all([readAccount(tx), tx.get(continuityTable, [0])]),
      )
      // Without an account there is nothing to confirm yet; onboarding asks again.
      if (!account) return true
      const atRelays = await askRelays(core(), row?.counter ?? 0)
      if (atRelays === undefined) return false
      if (!(await raise(atRelays))) return false
      confirm()
      return true
    },
  }
}
