import { createModel, signal, type ReadonlySignal } from '@preact/signals'
import type { EngineApi } from '../services/engine-api.ts'
import type { CurrentConversationModel } from './current-conversation-model.ts'
import type { InviteModel } from './invite-model.ts'
import type { LinkModel } from './link-model.ts'
import { SafetyModel } from './safety-model.ts'
import type { SettingsModel } from './settings-model.ts'
import type { World } from './world.ts'

/** `scan` is the dialog `link` with the camera on. */
export type DialogName = 'invite' | 'link' | 'scan' | 'settings' | 'safety'

type OpenDialog = Exclude<DialogName, 'scan'> | null

interface Subjects {
  readonly conversation: CurrentConversationModel['conversation']
  readonly invite: InviteModel
  readonly link: LinkModel
  readonly settings: SettingsModel
}

/** Which dialog is open; opening one begins what it shows. */
export const DialogsModel = createModel(
  (engine: EngineApi, world: World, { conversation, invite, link, settings }: Subjects) => {
    const opened = signal<OpenDialog>(null)
    const safety = signal<SafetyModel | null>(null)

    const openSafety = (id: string) => {
      safety.value?.close()
      safety.value = new SafetyModel(engine, world, id)
      void safety.value.load()
    }

    const close = () => {
      opened.value = null
      link.stopScanning()
      safety.value?.close()
      safety.value = null
    }

    // A safety number never stands under the name of another conversation than its own.
    conversation.subscribe(() => {
      if (opened.peek() === 'safety') close()
    })

    return {
      opened: opened as ReadonlySignal<OpenDialog>,
      /** Of the open conversation, while its dialog is open. */
      safety: safety as ReadonlySignal<SafetyModel | null>,

      open(name: DialogName) {
        opened.value = name === 'scan' ? 'link' : name
        if (name === 'invite') void invite.make()
        if (name === 'link' || name === 'scan') link.begin()
        if (name === 'scan') link.scan()
        if (name === 'settings') void settings.diagnostics.look()
        const id = conversation.value?.conversationId.value
        if (name === 'safety' && id !== undefined) openSafety(id)
      },
      /** The dialog with the link as it stands, e.g. with what went wrong. */
      showLink: () => {
        opened.value = 'link'
      },
      close,
    }
  },
)
export interface DialogsModel extends InstanceType<typeof DialogsModel> {}
