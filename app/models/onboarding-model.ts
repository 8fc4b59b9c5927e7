import { computed, createModel, signal, type ReadonlySignal } from '@preact/signals'
import { maxNameLength } from '../../protocol/wire/limits.ts'
import type { EngineApi } from '../services/engine-api.ts'
import { attempt } from './attempt.ts'
import { splitAddresses } from './invite-address.ts'

/**
 * The first screen: a name, and a relay address only when neither the page nor an invite brought one.
 *
 * `invite` is the fragment the page was opened with (empty: damaged, null: none), `offered` what the page's host or address says about relays.
 */
export const OnboardingModel = createModel(
  (engine: EngineApi, invite: string | null, offered: Promise<readonly string[]>, onDone: () => Promise<void>) => {
    const name = signal('')
    const relayText = signal('')
    const relays = signal<readonly string[] | null>(null)
    const invited = signal<'no' | 'yes' | 'unreadable'>('no')
    const starting = signal(false)
    const problem = signal<string | null>(null)

    const prepare = async () => {
      const preview = invite === null || invite === '' ? null : await attempt(() => engine.previewInvite(invite))
      if (invite !== null) invited.value = preview?.ok ? 'yes' : 'unreadable'
      const found = await offered
      relays.value = found.length > 0 ? found : preview?.ok ? preview.value.relayAddresses : []
    }
    const prepared = prepare()

    const chosenRelays = (): readonly string[] =>
      relays.value !== null && relays.value.length > 0 ? relays.value : splitAddresses(relayText.value)

    const start = async () => {
      const chosen = name.value.trim()
      if (chosen === '' || starting.value) return
      starting.value = true
      problem.value = null
      await prepared
      const addresses = chosenRelays()
      if (addresses.length === 0) {
        problem.value = 'Sotto needs the address of a relay. It begins with a slash; whoever runs one can tell you.'
      } else {
        const outcome = await attempt(() => engine.createAccount(chosen, addresses))
        if (outcome.ok) await onDone()
        else problem.value = outcome.problem.message
      }
      starting.value = false
    }

    return {
      name: name as ReadonlySignal<string>,
      maxNameLength: signal(maxNameLength) as ReadonlySignal<number>,
      relayText: relayText as ReadonlySignal<string>,
      /** Only once it is known that nobody offered a relay: the field must not flash. */
      needsRelay: computed(() => relays.value?.length === 0),
      invited: invited as ReadonlySignal<'no' | 'yes' | 'unreadable'>,
      starting: starting as ReadonlySignal<boolean>,
      problem: problem as ReadonlySignal<string | null>,
      canStart: computed(() => name.value.trim() !== '' && !starting.value),

      editName(next: string) {
        name.value = next
        problem.value = null
      },
      editRelay(next: string) {
        relayText.value = next
        problem.value = null
      },
      start,
    }
  },
)
export interface OnboardingModel extends InstanceType<typeof OnboardingModel> {}
