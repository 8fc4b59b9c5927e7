import type { ReadTransaction } from '../store/client-store.ts'
import { defaultSettings, settingsTable, type SettingsRow } from '../store/records/settings.ts'
import type { Core } from './core.ts'
import type { Settings } from './engine-api.ts'

/** What the person chose, or the defaults. */
export const readSettings = async (tx: ReadTransaction): Promise<SettingsRow> =>
  (await tx.get(settingsTable, [0])) ?? defaultSettings

/** Changes some settings; returns all of them as stored. */
export const changeSettings = (core: Core, change: Partial<Settings>): Promise<Settings> =>
  core.commit(async (tx, effects) => {
    const settings = { ...(await readSettings(tx)), ...change }
    tx.put(settingsTable, settings)
    effects.events.push({ kind: 'settings', settings })
    return settings
  })
