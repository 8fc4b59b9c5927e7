import { leadersCalls, type EngineApi, type EngineEvent } from '../services/engine-api.ts'
import type { TabLeadership } from './tab-leadership.ts'

/** After these the person waits for the network: a leader that was stopped must not keep it from them. */
const checkedCalls = [
  'send',
  'typing',
  'createInvite',
  'acceptInvite',
  'repair',
] as const satisfies readonly (keyof EngineApi)[]

type Call = (...args: readonly unknown[]) => Promise<unknown>

/**
 * The engine as a tab uses it that may or may not lead: calls that only a leader can do wait until this tab leads, and those
 * whose effect the leader brings out make sure that there is one.
 */
export const withLeader = (
  engine: EngineApi,
  leadership: Pick<TabLeadership, 'take' | 'check' | 'superseded'>,
): EngineApi => {
  const call = (name: keyof EngineApi): Call => (engine as unknown as Record<string, Call>)[name] as Call
  const leading = leadersCalls.map((name) => [
    name,
    async (...args: unknown[]) => {
      await leadership.take()
      return call(name)(...args)
    },
  ])
  const checked = checkedCalls.map((name) => [
    name,
    (...args: unknown[]) => {
      void leadership.check()
      return call(name)(...args)
    },
  ])
  const overrides: Partial<EngineApi> = Object.fromEntries([...leading, ...checked])
  const open: EngineApi['open'] = (onEvent) =>
    engine.open((event: EngineEvent) => {
      if (event.kind === 'superseded') leadership.superseded()
      else onEvent(event)
    })
  return new Proxy(engine, {
    get: (target, name: keyof EngineApi) => (name === 'open' ? open : (overrides[name] ?? target[name])),
  })
}
