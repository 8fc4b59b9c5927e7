import { createModel, signal, type ReadonlySignal } from '@preact/signals'
import type { EngineApi } from '../services/engine-api.ts'
import { attempt } from './attempt.ts'
import { cameraProblem } from './camera-problem.ts'
import { inviteIn } from './invite-address.ts'
import type { World } from './world.ts'

export type LinkState =
  | { readonly kind: 'entry' }
  | { readonly kind: 'scanning' }
  /** A link was opened in the address bar: nothing happens before the person agrees. */
  | { readonly kind: 'asking' }
  | { readonly kind: 'joining' }

const notAnInvite = 'This is not an invite. An invite link contains “#i/” and a long code; ask for it again.'

/** Opening an invite somebody else made: from the address bar, pasted, or scanned. */
export const LinkModel = createModel(
  (engine: EngineApi, world: Pick<World, 'openCamera'>, onJoined: (conversationId: string) => void) => {
    const state = signal<LinkState>({ kind: 'entry' })
    const text = signal('')
    const problem = signal<string | null>(null)
    let fragment: string | null = null

    const join = async (invite: string) => {
      fragment = invite
      state.value = { kind: 'joining' }
      problem.value = null
      const outcome = await attempt(() => engine.acceptInvite(invite))
      if (outcome.ok) {
        fragment = null
        text.value = ''
        state.value = { kind: 'entry' }
        onJoined(outcome.value.conversationId)
      } else {
        problem.value = outcome.problem.message
        state.value = { kind: 'asking' }
      }
    }

    return {
      state: state as ReadonlySignal<LinkState>,
      text: text as ReadonlySignal<string>,
      problem: problem as ReadonlySignal<string | null>,

      /** Starts empty; what was entered before is gone. */
      begin() {
        fragment = null
        text.value = ''
        problem.value = null
        state.value = { kind: 'entry' }
      },

      edit(next: string) {
        text.value = next
        problem.value = null
      },

      /** Asks before an invite from the address bar is followed: any page can send the person there. */
      offer(invite: string) {
        fragment = invite
        problem.value = null
        state.value = { kind: 'asking' }
      },

      async confirm() {
        if (fragment !== null) await join(fragment)
      },

      async submit() {
        const invite = inviteIn(text.value)
        if (invite === null) problem.value = notAnInvite
        else await join(invite)
      },

      join,

      scan() {
        problem.value = null
        state.value = { kind: 'scanning' }
      },
      stopScanning() {
        if (state.value.kind === 'scanning') state.value = { kind: 'entry' }
      },
      openCamera: () => world.openCamera(),
      cameraFailed(cause: unknown) {
        state.value = { kind: 'entry' }
        problem.value = cameraProblem(cause, 'paste the link')
      },
      /** A code is in sight of the camera. @returns whether it is an invite. */
      async scanned(code: string): Promise<boolean> {
        const invite = inviteIn(code)
        if (invite === null) {
          problem.value = 'This code is not an invite.'
          return false
        }
        await join(invite)
        return true
      },
    }
  },
)
export interface LinkModel extends InstanceType<typeof LinkModel> {}
