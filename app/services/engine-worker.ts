import { expose, proxy, type Remote } from 'comlink'
import type { Network } from '../../signaling/network.ts'
import { openIndexedDbStore } from '../store/indexed-db-store.ts'
import { turnLogOver } from '../store/log-turnover.ts'
import type { EngineApi, EngineEvent, EngineState } from './engine-api.ts'
import { schemaVersion } from '../store/schema.ts'
import { createEngine } from './engine.ts'
import type { PeerChannel, PeerMessage } from './peers.ts'

/**
 * The engine's own worker: no step of it can hold up a frame on screen. The page calls `EngineApi` over comlink; event
 * listener and network arrive as proxies of functions on the page, and the network gets a proxy of our listener in turn.
 */

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

/**
 * The engines of other tabs. Each version of the database has a channel of its own, since rows pass over it, and each version
 * of what is said (2: what stands in the way of messages).
 */
const peers = (): PeerChannel => {
  const channel = new BroadcastChannel(`sotto-engines-${schemaVersion}-2`)
  return {
    post: (message) => channel.postMessage(message),
    onMessage: (listener) =>
      channel.addEventListener('message', ({ data }: MessageEvent<PeerMessage>) => listener(data)),
    close: () => channel.close(),
  }
}

const storage = async (): Promise<{ persisted: boolean; usageBytes: number; quotaBytes: number }> => {
  const [persisted, { usage = 0, quota = 0 }] = await Promise.all([
    navigator.storage.persisted(),
    navigator.storage.estimate(),
  ])
  return { persisted, usageBytes: usage, quotaBytes: quota }
}

let lossReason: string | undefined
const onLoss = (reason: string): void => {
  lossReason = reason
}

const engine = createEngine({
  openStore: (onClosed, provider) => openIndexedDbStore({ random, onClosed, onLoss, crypto: provider }),
  now: () => Date.now(),
  random,
  storage,
  peers: peers(),
  // A chunk of its own: 135 KB that nothing waits for.
  loadCrypto: async () => (await import('../crypto/load-sodium.ts')).loadSodium(),
})

/** The page's network with our listener as a proxy: functions do not survive structured cloning. */
const reachable = (network: Remote<Network>): Network => ({
  start: (device, listener) => network.start(device, proxy(listener)),
  stop: () => network.stop(),
  collect: (own) => network.collect(own),
  identifyRelay: (addresses) => network.identifyRelay(addresses),
  publishLog: (relay, log) => network.publishLog(relay, log),
  publishPrekeys: (relay, owner, prekeys) => network.publishPrekeys(relay, owner, prekeys),
  countPrekeys: (relay, owner) => network.countPrekeys(relay, owner),
  setLanes: (mailbox, lanes) => network.setLanes(mailbox, lanes),
  revokeLanes: (mailbox, laneHashes) => network.revokeLanes(mailbox, laneHashes),
  advance: (mailbox, counter) => network.advance(mailbox, counter),
  fetchLog: (relay, accountId) => network.fetchLog(relay, accountId),
  fetchBundles: (relay, accountId) => network.fetchBundles(relay, accountId),
  send: (route, envelope) => network.send(route, envelope),
  signal: (contactId, signal) => network.signal(contactId, signal),
  // A wish, not a call: when the page is going away there is nobody left to hear that it failed.
  wantDirect: (route, wanted) => void network.wantDirect(route, wanted).catch(() => undefined),
})

/** What the page calls: as `EngineApi`, but events cross over in lists, so that what one step did is drawn once. */
export interface EngineWorkerApi extends Omit<EngineApi, 'open'> {
  open(onEvents: (events: readonly EngineEvent[]) => void): Promise<EngineState>
}

/** 60 ms between two lists of events: hardly anybody sees the difference, and in a flood the page draws 16 times a second. */
const listsApartMs = 60

/** What happens in one go leaves in one message: the first at once, those that follow on its heels a moment later. */
const inLists = (onEvents: (events: readonly EngineEvent[]) => void): ((event: EngineEvent) => void) => {
  let waiting: EngineEvent[] = []
  let leftAtMs = 0
  const leave = (): void => {
    onEvents(waiting)
    waiting = []
    leftAtMs = performance.now()
  }
  return (event) => {
    waiting.push(event)
    if (waiting.length > 1) return
    const waitMs = leftAtMs + listsApartMs - performance.now()
    if (waitMs <= 0) queueMicrotask(leave)
    else setTimeout(leave, waitMs)
  }
}

const api: EngineWorkerApi = {
  ...engine,
  open: async (onEvents) => {
    const state = await engine.open(inLists(onEvents))
    // The page shows what is stored first.
    void turnLogOver(navigator.locks)
    return lossReason === undefined ? state : { ...state, lossReason }
  },
  connect: (network) => engine.connect(reachable(network as unknown as Remote<Network>)),
}

expose(api)
