import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import type { NetworkEnvironment } from '../../signaling/environment.ts'
import type { Network } from '../../signaling/network.ts'
import { createNetwork } from '../../signaling/peer-link.ts'
import { loadSodium } from '../crypto/load-sodium.ts'
import type { EngineApi, EngineEvent, MessageView, Outcome } from '../services/engine-api.ts'
import { createEngine } from '../services/engine.ts'
import { openSqliteStore } from '../store/sqlite-store.ts'
import type { CallMessage, EngineCalls, EngineMessage, EngineOrder, MessageOnScreen } from './engine-calls.ts'
import { acknowledgedPath, Journal, leftPath, readAcknowledged, sealingsPath } from './journal.ts'
import { mutateNetwork, mutateStore } from './mutants.ts'
import { findUnstored, recordingNetwork, recordingProvider, changed } from './recording.ts'

/** Acknowledged last before the end of the last life: far more than can be between an acknowledgement and a commit. */
const looksBack = 500

/** A screen shows what arrived within half a second; one mark covers all of it. */
const readAfterMs = 500

/** Above everything a page of messages holds. */
const pageSize = 200

/** As many as tell of the last minutes, and not of the whole run. */
const lastLines = 8

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length))

/** A page that is always visible and online. */
const alwaysThere = (): NetworkEnvironment => ({
  window: new EventTarget(),
  document: Object.assign(new EventTarget(), { visibilityState: 'visible' }),
  navigator: { onLine: true },
})

const valueOf = <T>(outcome: Outcome<T>): T => {
  if (!outcome.ok) throw new Error(`${outcome.problem.code}: ${outcome.problem.message}`)
  return outcome.value
}

const tell = (message: EngineMessage): void => {
  // Nobody left to hear it: whoever started this is gone.
  if (!process.connected) process.exit(0)
  process.send?.(message)
}

/** Marks as read what has arrived, a little later, for everything since. */
const createReader = (engine: EngineApi) => {
  const newest = new Map<string, number>()
  const flush = (): void => {
    for (const [conversationId, position] of newest) {
      engine
        .markRead(conversationId, position)
        .catch((cause: unknown) => tell({ kind: 'problem', message: String(cause) }))
    }
    newest.clear()
  }
  return ({ conversationId, position }: MessageView): void => {
    if (newest.size === 0) setTimeout(flush, readAfterMs)
    newest.set(conversationId, Math.max(position, newest.get(conversationId) ?? 0))
  }
}

/** What of an engine's events a run wants to know. */
const onEvent = (event: EngineEvent, markRead: (message: MessageView) => void): void => {
  if (event.kind === 'problem') tell({ kind: 'problem', message: event.problem.message })
  if (event.kind === 'conversation' && event.conversation.name !== undefined) {
    tell({ kind: 'conversation', name: event.conversation.name, conversationId: event.conversation.conversationId })
  }
  if (event.kind !== 'message' || event.message.text === undefined) return
  const { mine, text, status } = event.message
  if (mine && status) tell({ kind: 'status', text, status })
  if (mine || !event.isNew) return
  tell({ kind: 'arrived', text })
  markRead(event.message)
}

/** Of a message view what a screen shows. */
const onScreen = ({ messageId, mine, text = '', status }: MessageView): MessageOnScreen => ({
  messageId,
  mine,
  text,
  ...(status ? { status } : {}),
})

const readAll = async (engine: EngineApi, conversationId: string): Promise<MessageView[]> => {
  const out: MessageView[] = []
  for (;;) {
    const after = out.at(-1)?.position ?? Number.NEGATIVE_INFINITY
    const page = await engine.messages(conversationId, { after, limit: pageSize })
    out.push(...page)
    if (page.length < pageSize) return out
  }
}

interface Surroundings {
  readonly engine: EngineApi
  readonly order: EngineOrder
  readonly setClock: (offsetMs: number) => void
  readonly setDirect: (accountIds: readonly string[]) => void
  readonly known: Map<string, string>
}

const createCalls = ({ engine, order, setClock, setDirect, known }: Surroundings): EngineCalls => ({
  createAccount: async (name) => valueOf(await engine.createAccount(name, order.addresses)).accountId,
  invite: async () => valueOf(await engine.createInvite()).fragment,
  accept: async (fragment) => void valueOf(await engine.acceptInvite(fragment)),
  conversations: async () => [...known].map(([name, conversationId]) => ({ name, conversationId })),
  send: async (conversationId, text) => void valueOf(await engine.send(conversationId, text)),
  messages: async (conversationId, newest) => {
    const views = newest
      ? await engine.messages(conversationId, { limit: pageSize })
      : await readAll(engine, conversationId)
    return views.map(onScreen)
  },
  setClock: async (offsetMs) => setClock(offsetMs),
  setDirect: async (accountIds) => setDirect(accountIds),
  diagnose: async (conversationId) => {
    const { lines, contacts, relays } = await engine.diagnostics()
    const last = lines.slice(-lastLines)
    return [
      ...relays.map((relay) => JSON.stringify(relay)),
      ...contacts.filter((one) => one.conversationId === conversationId).map((one) => JSON.stringify(one)),
      ...last.map(({ atMs, area, code, detail }) => `${new Date(atMs).toISOString()} ${area} ${code} ${detail}`),
    ]
  },
  close: () => engine.close(),
})

const answer = async (calls: EngineCalls, { id, call, args }: CallMessage): Promise<void> => {
  try {
    const value = await (calls[call] as (...all: readonly unknown[]) => Promise<unknown>)(...args)
    tell({ kind: 'answer', id, value })
  } catch (cause) {
    tell({ kind: 'answer', id, failure: cause instanceof Error ? cause.message : String(cause) })
  }
}

/** The way of every call to the outside: links only where they are wanted, relays only by the way that was given. */
const steered = (network: Network, order: EngineOrder, direct: ReadonlySet<string>): Network =>
  changed(network, {
    identifyRelay: async (addresses) => {
      const found = await network.identifyRelay(addresses)
      if (!found.ok) return found
      const { relayKey, info } = found.value
      return { ok: true, value: { relayKey, info: { ...info, addresses: [...order.addresses] } } }
    },
    send: (route, envelope) =>
      network.send({ ...route, direct: route.direct && direct.has(route.contactId) }, envelope),
    wantDirect: (route, wanted) => {
      if (direct.has(route.contactId)) network.wantDirect(route, wanted)
    },
  })

/** What an earlier life acknowledged and did not store. */
const lookBack = async (directory: string): Promise<string[]> => {
  const acknowledged = readAcknowledged(directory).slice(-looksBack)
  if (acknowledged.length === 0) return []
  const store = await openSqliteStore({ directory, random })
  const unstored = await findUnstored(store, acknowledged)
  store.close()
  return unstored
}

/** Runs until it is killed, or whoever started it is gone. */
export const runEngine = async (order: EngineOrder): Promise<void> => {
  const { directory, mutant } = order
  mkdirSync(directory, { recursive: true })
  const unstored = await lookBack(directory)
  const sodium = await loadSodium()
  let clockOffsetMs = 0
  const now = (): number => Date.now() + clockOffsetMs
  const direct = new Set(order.directWith)
  const engine = createEngine({
    // Records of the store are sealed by the bare provider: their keys are none of the ratchet's.
    openStore: async () => mutateStore(mutant, await openSqliteStore({ directory, random, crypto: () => sodium })),
    crypto: recordingProvider(sodium, new Journal(sealingsPath(directory))),
    now,
    random,
  })
  const markRead = createReader(engine)
  const known = new Map<string, string>()
  const state = await engine.open((event) => {
    if (event.kind === 'conversation' && event.conversation.name !== undefined) {
      known.set(event.conversation.name, event.conversation.conversationId)
    }
    onEvent(event, order.reads ? markRead : () => undefined)
  })
  for (const { name, conversationId } of state.conversations) if (name !== undefined) known.set(name, conversationId)
  const network = createNetwork({ environment: alwaysThere(), now, random })
  // Outside of a mutant, so that it is seen what really leaves.
  const recorded = recordingNetwork(network, new Journal(leftPath(directory)), new Journal(acknowledgedPath(directory)))
  await engine.connect(steered(mutateNetwork(mutant, recorded), order, direct))
  const calls = createCalls({
    ...{ engine, order, known },
    setClock: (offsetMs) => (clockOffsetMs = offsetMs),
    setDirect: (accountIds) => {
      for (const id of accountIds) direct.add(id)
    },
  })
  process.on('message', (message) => void answer(calls, message as CallMessage))
  process.on('disconnect', () => process.exit(0))
  tell({ kind: 'ready', unstored })
}
