import { computed, createModel, signal, type ReadonlySignal } from '@preact/signals'
import { maxNameLength } from '../../protocol/wire/limits.ts'
import type { EngineApi, ProfileView, Settings } from '../services/engine-api.ts'
import { attempt } from './attempt.ts'
import { DiagnosticsModel } from './diagnostics-model.ts'
import { OwnRelaysModel } from './own-relays-model.ts'
import type { World } from './world.ts'

export type { Settings }

/** 90 days: after that new keys are offered, so that a copy of the old ones does not stay good for years. */
const oldKeysDays = 90
const dayMs = 86_400_000

type SettingsWorld = Pick<World, 'copy' | 'keepStorage' | 'now' | 'restart' | 'saveText' | 'version'>

/** The person's own settings, their relays, and what the device says about itself. */
export const SettingsModel = createModel((engine: EngineApi, world: SettingsWorld) => {
  const settings = signal<Settings>({
    theme: 'system',
    sendReadReceipts: true,
    shareTyping: true,
    sharePresence: true,
  })
  const name = signal('')
  const relays: OwnRelaysModel = new OwnRelaysModel(engine)
  const diagnostics: DiagnosticsModel = new DiagnosticsModel(engine, world)
  const problem = signal<string | null>(null)
  const wiping = signal(false)
  const keysSinceMs = signal(0)
  const replacing = signal<'no' | 'running' | 'done'>('no')
  const keyAgeDays = computed(() => Math.max(0, Math.floor((world.now.value - keysSinceMs.value) / dayMs)))

  return {
    settings: settings as ReadonlySignal<Settings>,
    name: name as ReadonlySignal<string>,
    maxNameLength: signal(maxNameLength) as ReadonlySignal<number>,
    relays,
    diagnostics,
    problem: problem as ReadonlySignal<string | null>,
    wiping: wiping as ReadonlySignal<boolean>,
    /** Whole days since this device's keys were made. */
    keyAgeDays,
    keysAreOld: computed(() => keyAgeDays.value >= oldKeysDays),
    replacing: replacing as ReadonlySignal<'no' | 'running' | 'done'>,
    version: signal(world.version) as ReadonlySignal<string>,

    applySettings: (next: Settings) => void (settings.value = next),
    applyProfile: (next: ProfileView) => {
      name.value = next.name
      keysSinceMs.value = next.keysSinceMs
    },
    applyRelays: relays.apply,

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

    /** New keys for this device; contacts see a line about it. */
    async replaceKeys() {
      replacing.value = 'running'
      const outcome = await attempt(() => engine.replaceKeys())
      if (outcome.ok) keysSinceMs.value = outcome.value.keysSinceMs
      replacing.value = outcome.ok ? 'done' : 'no'
      problem.value = outcome.ok ? null : outcome.problem.message
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
