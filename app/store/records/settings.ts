import { boolean, oneOf, optional, struct } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** What the person chose on this device; one row, under key 0. */
const settings = struct('settings', {
  theme: [0, oneOf({ system: 0, light: 1, dark: 2 })],
  sendReadReceipts: [1, boolean],
  /** Absent: yes, as before there was a choice. */
  shareTyping: [2, optional(boolean)],
  sharePresence: [3, optional(boolean)],
})
export type SettingsRow = ReturnType<typeof settings.decode>

export const settingsTable: Table<SettingsRow> = {
  name: 'settings',
  codec: settings,
  key: () => [0],
  beforeAccount: true,
}

/** Before anybody chose. */
export const defaultSettings: Required<SettingsRow> = {
  theme: 'system',
  sendReadReceipts: true,
  shareTyping: true,
  sharePresence: true,
}
