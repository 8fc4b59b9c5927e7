import { computed, createModel, signal, type ReadonlySignal } from '@preact/signals'
import { maxRelaysPerAccount } from '../../protocol/wire/limits.ts'
import type { EngineApi, Outcome, RelayView } from '../services/engine-api.ts'
import { attempt } from './attempt.ts'
import { relayAddressesIn } from './relay-discovery.ts'

export type { RelayView }

/**
 * What the person is about to do with their relays: nothing, name a relay to add (or to move to from another one), or say yes
 * to removing one.
 */
export type RelayTask =
  | { readonly kind: 'none' }
  | { readonly kind: 'add' }
  | { readonly kind: 'move'; readonly relayId: string }
  | { readonly kind: 'remove'; readonly relayId: string }

const idle: RelayTask = { kind: 'none' }

/** The relays this account lives at, and changing them. */
export const OwnRelaysModel = createModel((engine: EngineApi) => {
  const relays = signal<readonly RelayView[]>([])
  const task = signal<RelayTask>(idle)
  const address = signal('')
  const busy = signal(false)
  const problem = signal<string | null>(null)
  const news = signal<string | null>(null)

  const begin = (next: RelayTask) => {
    if (busy.value) return
    task.value = next
    address.value = ''
    problem.value = null
    news.value = null
  }

  const run = async (call: () => Promise<Outcome<readonly RelayView[]>>, done: string) => {
    busy.value = true
    problem.value = null
    const outcome = await attempt(call)
    busy.value = false
    if (!outcome.ok) {
      problem.value = outcome.problem.message
      return
    }
    relays.value = outcome.value
    task.value = idle
    news.value = done
  }

  return {
    relays: relays as ReadonlySignal<readonly RelayView[]>,
    task: task as ReadonlySignal<RelayTask>,
    address: address as ReadonlySignal<string>,
    busy: busy as ReadonlySignal<boolean>,
    problem: problem as ReadonlySignal<string | null>,
    /** What has just been done, in a sentence. */
    news: news as ReadonlySignal<string | null>,
    canAdd: computed(() => relays.value.length < maxRelaysPerAccount),
    isOnly: computed(() => relays.value.length === 1),

    apply: (next: readonly RelayView[]) => void (relays.value = next),
    begin,
    cancel: () => begin(idle),

    editAddress(next: string) {
      address.value = next
      problem.value = null
    },

    /** Lives at the relay in the address field, besides the others or in the place of one of them. */
    async submit() {
      const { value: wanted } = task
      if (busy.value || (wanted.kind !== 'add' && wanted.kind !== 'move')) return
      const addresses = relayAddressesIn(address.value)
      if (addresses.length === 0) {
        problem.value =
          'This is not the address of a relay. It looks like relay.example.org, or begins with a slash; whoever runs the relay can tell you.'
        return
      }
      if (wanted.kind === 'add') {
        await run(() => engine.addRelay(addresses), 'The relay is added. Your contacts learn of it by themselves.')
      } else {
        const call = () => engine.moveRelay(wanted.relayId, addresses)
        await run(call, 'You have moved. Your contacts learn of it by themselves.')
      }
    },

    async remove() {
      const { value: wanted } = task
      if (busy.value || wanted.kind !== 'remove') return
      await run(
        () => engine.removeRelay(wanted.relayId),
        'The relay is removed. What is on its way there still arrives.',
      )
    },
  }
})
export interface OwnRelaysModel extends InstanceType<typeof OwnRelaysModel> {}
