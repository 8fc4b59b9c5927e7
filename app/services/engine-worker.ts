import { expose, proxy, type Remote } from 'comlink'
import type { Network } from '../../signaling/network.ts'
import { openIndexedDbStore } from '../store/indexed-db-store.ts'
import type { EngineApi, EngineEvent } from './engine-api.ts'
import { createEngine } from './engine.ts'

/**
 * The engine's own worker: no step of it can hold up a frame on screen. The page calls `EngineApi` over comlink; event
 * listener and network arrive as proxies of functions on the page, and the network gets a proxy of our listener in turn.
 */

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

const storage = async (): Promise<{ persisted: boolean; usageBytes: number; quotaBytes: number }> => {
  const [persisted, { usage = 0, quota = 0 }] = await Promise.all([
    navigator.storage.persisted(),
    navigator.storage.estimate(),
  ])
  return { persisted, usageBytes: usage, quotaBytes: quota }
}

const engine = createEngine({
  openStore: (onClosed, provider) => openIndexedDbStore({ random, onClosed, crypto: provider }),
  now: () => Date.now(),
  random,
  storage,
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
  fetchLog: (relay, accountId) => network.fetchLog(relay, accountId),
  fetchBundles: (relay, accountId) => network.fetchBundles(relay, accountId),
  send: (route, envelope) => network.send(route, envelope),
  signal: (contactId, signal) => network.signal(contactId, signal),
  // A wish, not a call: when the page is going away there is nobody left to hear that it failed.
  wantDirect: (route, wanted) => void network.wantDirect(route, wanted).catch(() => undefined),
})

const api: EngineApi = {
  ...engine,
  open: (onEvent: (event: EngineEvent) => void) => engine.open((event) => void onEvent(event)),
  connect: (network) => engine.connect(reachable(network as unknown as Remote<Network>)),
}

expose(api)
