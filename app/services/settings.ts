import type { ReadTransaction, WriteTransaction } from '../store/client-store.ts'
import { conversationTable } from '../store/records/conversation.ts'
import { defaultSettings, settingsTable } from '../store/records/settings.ts'
import type { Core } from './core.ts'
import { putConversation } from './conversations.ts'
import type { Effects } from './effects.ts'
import type { Settings } from './engine-api.ts'

/** What the person chose, or the defaults. */
export const readSettings = async (tx: ReadTransaction): Promise<Settings> => ({
  ...defaultSettings,
  ...(await tx.get(settingsTable, [0])),
})

/** Who does not tell does not see either: what was seen of others is forgotten. */
const forgetSeen = async (tx: WriteTransaction, effects: Effects): Promise<void> => {
  for (const { seenAtMs, ...row } of await tx.list(conversationTable)) {
    if (seenAtMs !== undefined) putConversation(tx, effects, row)
  }
}

/** Changes some settings; returns all of them as stored. */
export const changeSettings = (core: Core, change: Partial<Settings>): Promise<Settings> =>
  core.commit(async (tx, effects) => {
    const settings = { ...(await readSettings(tx)), ...change }
    tx.put(settingsTable, settings)
    if (!settings.sharePresence) await forgetSeen(tx, effects)
    effects.events.push({ kind: 'settings', settings })
    return settings
  })
