import { later } from '../parts/Later.tsx'
import type { MessageMenuProps } from '../conversation/MessageMenu.tsx'
import type { DeleteDialogProps } from './DeleteDialog.tsx'
import type { EarlierTextsDialogProps } from './EarlierTextsDialog.tsx'
import type { InviteDialogProps } from './InviteDialog.tsx'
import type { LinkDialogProps } from './LinkDialog.tsx'
import type { SafetyDialogProps } from './SafetyDialog.tsx'
import type { SettingsDialogProps } from './SettingsDialog.tsx'

/** Dialogs that nobody needs before messages flow. */

export const SettingsDialog = later<SettingsDialogProps>('Settings', () =>
  import('./SettingsDialog.tsx').then((file) => file.SettingsDialog),
)
export const SafetyDialog = later<SafetyDialogProps>('Safety number', () =>
  import('./SafetyDialog.tsx').then((file) => file.SafetyDialog),
)

export const InviteDialog = later<InviteDialogProps>('Invite', () =>
  import('./InviteDialog.tsx').then((file) => file.InviteDialog),
)
export const LinkDialog = later<LinkDialogProps>('Open an invite', () =>
  import('./LinkDialog.tsx').then((file) => file.LinkDialog),
)
export const DeleteDialog = later<DeleteDialogProps>('Delete this message?', () =>
  import('./DeleteDialog.tsx').then((file) => file.DeleteDialog),
)
export const EarlierTextsDialog = later<EarlierTextsDialogProps>('Edits', () =>
  import('./EarlierTextsDialog.tsx').then((file) => file.EarlierTextsDialog),
)
export const MessageMenu = later<MessageMenuProps>('Message actions', () =>
  import('../conversation/MessageMenu.tsx').then((file) => file.MessageMenu),
)

/** Loads all of them: when there is time, so that they open at once. */
export const loadDialogs = async (): Promise<void> => {
  const all = [SettingsDialog, SafetyDialog, InviteDialog, LinkDialog, DeleteDialog, EarlierTextsDialog, MessageMenu]
  await Promise.all(all.map((dialog) => dialog.load()))
}
