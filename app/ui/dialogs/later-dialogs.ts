import { later } from '../parts/Later.tsx'
import type { SafetyDialogProps } from './SafetyDialog.tsx'
import type { SettingsDialogProps } from './SettingsDialog.tsx'

/** Dialogs that nobody needs before messages flow. */

export const SettingsDialog = later<SettingsDialogProps>('Settings', () =>
  import('./SettingsDialog.tsx').then((file) => file.SettingsDialog),
)
export const SafetyDialog = later<SafetyDialogProps>('Safety number', () =>
  import('./SafetyDialog.tsx').then((file) => file.SafetyDialog),
)

/** Loads all of them: when there is time, so that they open at once. */
export const loadDialogs = async (): Promise<void> => {
  await Promise.all([SettingsDialog.load(), SafetyDialog.load()])
}
