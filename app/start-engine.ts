import { batch } from '@preact/signals'
import { proxy, wrap } from 'comlink'
import type { Network } from '../signaling/network.ts'
import type { EngineApi, EngineEvent } from './services/engine-api.ts'
import type { EngineWorkerApi } from './services/engine-worker.ts'
import engineUrl from './services/engine-worker.ts?worker&url'

/** The part of Trusted Types that is used; absent in browsers that do not have them yet. */
interface TrustedTypePolicies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string }
}

export interface RunningEngine {
  readonly engine: EngineApi
  /** Ends the worker without another word. */
  terminate(): void
}

/** Scripts come from our own origin and from nowhere else; everything else stops here. */
const ownScriptUrl = (base: string) => (url: string) => {
  if (new URL(url, base).origin !== new URL(base).origin) throw new TypeError('scripts come from the app’s own origin')
  return url
}

/** Made once: the content security policy allows one policy of this name. */
const createOwnScripts = (policies: TrustedTypePolicies | undefined, base: string) => {
  const rules = { createScriptURL: ownScriptUrl(base) }
  return policies?.createPolicy('sotto', rules) ?? rules
}

/**
 * Prepares the start of engines for a page at `base`. Each start is a fresh worker; `onCrash` is called when its script
 * cannot be loaded or throws while loading.
 */
export const createEngineStarter = (policies: TrustedTypePolicies | undefined, base: string) => {
  const ownScripts = createOwnScripts(policies, base)
  return (onCrash: () => void): RunningEngine => {
    const worker = new Worker(ownScripts.createScriptURL(engineUrl), { type: 'module', name: 'sotto-engine' })
    worker.addEventListener('error', onCrash)
    const remote = wrap<EngineWorkerApi>(worker)
    // Callbacks and the network stay on this side; the worker gets ports to them.
    const open: EngineApi['open'] = (onEvent) =>
      remote.open(proxy((events: readonly EngineEvent[]) => batch(() => events.forEach(onEvent))))
    const connect: EngineApi['connect'] = (network) => remote.connect(proxy<Network>(network))
    const overrides: Partial<EngineApi> = { open, connect }
    const engine = new Proxy(remote as unknown as EngineApi, {
      get: (target, name: keyof EngineApi) => overrides[name] ?? target[name],
    })
    return { engine, terminate: () => worker.terminate() }
  }
}
