import { setTimeout as pause } from 'node:timers/promises'
import type { Network } from '../../signaling/network.ts'
import type { ClientStore, WriteTransaction } from '../store/client-store.ts'
import { outboxTable } from '../store/records/outbox.ts'
import { sessionTable, type SessionRow } from '../store/records/session.ts'
import type { Mutant } from './engine-calls.ts'
import { changed } from './recording.ts'

/**
 * Engines with one deliberate fault each, to see that a run notices it. None needs a hook in the product: three are what an
 * engine's surroundings do to it, one is a change of a source text while it is loaded.
 */

/** 1 s between the acknowledgement and the commit: wide enough for a kill to fall in between in a short run. */
const commitLateMs = 1_000

/** 50 ms between what was encrypted and the session that it moved: a kill or another message falls in between. */
const sessionLateMs = 50

/** Says yes to everything at once, and gives it to the engine afterwards. */
const acknowledgeFirst = (network: Network): Network =>
  changed(network, {
    start: (device, listener) =>
      network.start(
        device,
        changed(listener, {
          onEnvelopes: async (source, envelopes) => {
            void pause(commitLateMs).then(() => listener.onEnvelopes(source, envelopes))
            return envelopes.map(() => true)
          },
        }),
      ),
  })

/** So many envelopes an engine of the kind below takes in its life. */
const deafAfter = 20

/** Takes some envelopes and then nothing more, without a word, as where something is waited for that never comes. */
const goDeaf = (network: Network): Network => {
  let taken = 0
  return changed(network, {
    start: (device, listener) =>
      network.start(
        device,
        changed(listener, {
          onEnvelopes: (source, envelopes) => {
            taken += envelopes.length
            return taken > deafAfter ? new Promise(() => undefined) : listener.onEnvelopes(source, envelopes)
          },
        }),
      ),
  })
}

/** The same transaction, which tells what sessions were put and whether anything was put to be sent. */
const watched = (tx: WriteTransaction) => {
  const sessions: SessionRow[] = []
  let sends = false
  const watching = changed(tx, {
    put: (table, row) => {
      if (table.name === sessionTable.name) sessions.push(row as SessionRow)
      if (table.name === outboxTable.name) sends = true
      tx.put(table, row)
    },
  })
  return { watching, sessions, sends: () => sends }
}

const sameKey = (a: SessionRow, b: SessionRow): boolean =>
  Buffer.compare(a.contactId, b.contactId) === 0 && Buffer.compare(a.sessionId, b.sessionId) === 0

/** What was encrypted is stored in one transaction, and the moved session in a later one. */
const sessionsLater = (store: ClientStore): ClientStore => {
  const putLater = async (rows: readonly SessionRow[]): Promise<void> => {
    await pause(sessionLateMs)
    await store.write(async (tx) => {
      for (const row of rows) tx.put(sessionTable, row)
    })
  }
  return changed(store, {
    write: async (step) => {
      let later: readonly SessionRow[] = []
      const result = await store.write(async (tx) => {
        const before = await tx.list(sessionTable)
        const { watching, sessions, sends } = watched(tx)
        const value = await step(watching)
        if (!sends()) return value
        // Only sessions that were there: a new one must stand, or nobody could ever answer.
        later = sessions.filter((row) => before.some((old) => sameKey(old, row)))
        for (const old of before) if (later.some((row) => sameKey(old, row))) tx.put(sessionTable, old)
        return value
      })
      if (later.length > 0) void putLater(later)
      return result
    },
  })
}

export const mutateNetwork = (mutant: Mutant | undefined, network: Network): Network => {
  if (mutant === 'acknowledge-before-commit') return acknowledgeFirst(network)
  return mutant === 'deaf-until-restart' ? goDeaf(network) : network
}

export const mutateStore = (mutant: Mutant | undefined, store: ClientStore): ClientStore =>
  mutant === 'encrypt-outside-transaction' ? sessionsLater(store) : store

/** A change of one source file: `from` stands in it exactly once. */
export interface SourceChange {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** A copy of a known envelope brings its message once more. */
const showAgain: SourceChange = {
  file: 'app/services/receive-envelope.ts',
  from: `    await handleKnown(tx, core, effects, known)
    return true`,
  to: `    await handleKnown(tx, core, effects, known)
    const { messageId, conversationId } = known
    const row = messageId && conversationId && (await tx.find(messageTable, messageIndex(conversationId, false, messageId)))
    const conversation = row && (await tx.get(conversationTable, [conversationId]))
    if (!conversation) return true
    const body = { kind: 'text', text: row.text }
    const content = { messageId: core.random(16), sequence: row.sequence, sentAtMs: row.sentAtMs, body }
    await addReceivedMessage(tx, effects, conversation, { content, envelopeId: id, now: core.now(), clockOffsetMs: 0 })
    return true`,
}

export const sourceChanges = (mutant: Mutant | undefined): readonly SourceChange[] =>
  mutant === 'no-dedup' ? [showAgain] : []
