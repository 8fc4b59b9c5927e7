import { createModel, signal, type ReadonlySignal } from '@preact/signals'
import type { EngineApi } from '../services/engine-api.ts'
import { attempt } from './attempt.ts'
import { inviteLink } from './invite-address.ts'
import type { World } from './world.ts'

/** 2 s: long enough to read "Copied". */
const copiedShownMs = 2_000

export type InviteState =
  | { readonly kind: 'making' }
  | { readonly kind: 'ready'; readonly link: string }
  | { readonly kind: 'failed'; readonly message: string }

/** A fresh invite of one's own: made when its dialog opens, shown as link and code. */
export const InviteModel = createModel((engine: EngineApi, world: Pick<World, 'appUrl' | 'copy' | 'share'>) => {
  const state = signal<InviteState>({ kind: 'making' })
  const copied = signal<'no' | 'yes' | 'failed'>('no')
  let shownTimer: ReturnType<typeof setTimeout> | undefined

  const link = (): string => (state.value.kind === 'ready' ? state.value.link : '')

  return {
    state: state as ReadonlySignal<InviteState>,
    copied: copied as ReadonlySignal<'no' | 'yes' | 'failed'>,
    canShare: signal(world.share !== undefined) as ReadonlySignal<boolean>,

    async make() {
      state.value = { kind: 'making' }
      copied.value = 'no'
      const outcome = await attempt(() => engine.createInvite())
      state.value = outcome.ok
        ? { kind: 'ready', link: inviteLink(world.appUrl, outcome.value.fragment) }
        : { kind: 'failed', message: outcome.problem.message }
    },

    async copy() {
      clearTimeout(shownTimer)
      copied.value = await world.copy(link()).then(
        () => 'yes',
        () => 'failed',
      )
      shownTimer = setTimeout(() => (copied.value = 'no'), copiedShownMs)
    },

    async share() {
      // Rejects when the person closes the sheet: nothing to report.
      await world.share?.(link()).catch(() => undefined)
    },
  }
})
export interface InviteModel extends InstanceType<typeof InviteModel> {}
