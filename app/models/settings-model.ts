import { createModel, signal, type ReadonlySignal } from '@preact/signals'
import { maxNameLength } from '../../protocol/wire/limits.ts'
import type { DiagnosticLine, EngineApi, RelayView, Settings } from '../services/engine-api.ts'
import { attempt } from './attempt.ts'
import type { World } from './world.ts'

export type { DiagnosticLine, RelayView, Settings }

export interface Diagnostics {
  readonly lines: readonly DiagnosticLine[]
  /** Whether the browser promised to keep the storage. */
  readonly persisted: boolean
  readonly usageBytes: number
  readonly quotaBytes: number
}

type SettingsWorld = Pick<World, 'keepStorage' | 'restart' | 'version'>

/** The person's own settings, their relays, and what the device says about itself. */
export const SettingsModel = createModel((engine: EngineApi, world: SettingsWorld) => {
  const settings = signal<Settings>({ theme: 'system', sendReadReceipts: true })
  const name = signal('')
  const relays = signal<readonly RelayView[]>([])
  const diagnostics = signal<Diagnostics | null>(null)
  const problem = signal<string | null>(null)
  const wiping = signal(false)

  const look = async () => {
    try {
      diagnostics.value = await engine.diagnostics()
    } catch {
      problem.value = 'The diagnostics could not be read. Reload the page.'
    }
  }

  return {
    settings: settings as ReadonlySignal<Settings>,
    name: name as ReadonlySignal<string>,
    maxNameLength: signal(maxNameLength) as ReadonlySignal<number>,
    relays: relays as ReadonlySignal<readonly RelayView[]>,
    diagnostics: diagnostics as ReadonlySignal<Diagnostics | null>,
    problem: problem as ReadonlySignal<string | null>,
    wiping: wiping as ReadonlySignal<boolean>,
    version: signal(world.version) as ReadonlySignal<string>,

    applySettings: (next: Settings) => void (settings.value = next),
    applyName: (next: string) => void (name.value = next),
    applyRelays: (next: readonly RelayView[]) => void (relays.value = next),

    async change(part: Partial<Settings>) {
      const before = settings.value
      settings.value = { ...before, ...part }
      try {
        settings.value = await engine.setSettings(part)
        problem.value = null
      } catch {
        settings.value = before
        problem.value = 'The setting could not be stored.'
      }
    },

    /** @returns whether the name was taken. */
    async rename(next: string): Promise<boolean> {
      const outcome = await attempt(() => engine.setName(next.trim()))
      if (outcome.ok) name.value = outcome.value.name
      problem.value = outcome.ok ? null : outcome.problem.message
      return outcome.ok
    },

    look,

    async keepStorage() {
      await world.keepStorage()
      await look()
    },

    async wipe() {
      wiping.value = true
      try {
        await engine.wipe()
        world.restart()
      } catch {
        wiping.value = false
        problem.value = 'Not everything could be deleted. Close other tabs of Sotto and try again.'
      }
    },
  }
})
export interface SettingsModel extends InstanceType<typeof SettingsModel> {}
