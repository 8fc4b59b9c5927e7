import { createModel, signal, type ReadonlySignal } from '@preact/signals'
import type { Problem } from '../services/engine-api.ts'

export interface Notice {
  readonly id: number
  readonly message: string
}

/** Three at once: more would cover the conversation, and the newest ones matter. */
const maxNotices = 3

/** Problems the person should hear about, newest last. The same sentence is never shown twice at once. */
export const NoticesModel = createModel(() => {
  const notices = signal<readonly Notice[]>([])
  let nextId = 1
  return {
    notices: notices as ReadonlySignal<readonly Notice[]>,
    add({ message }: Pick<Problem, 'message'>) {
      // What lasts is reported again and again: it is said once, and stays the same thing to dismiss.
      if (notices.value.some((notice) => notice.message === message)) return
      notices.value = [...notices.value, { id: nextId++, message }].slice(-maxNotices)
    },
    /** It is not so any more. */
    withdraw(message: string) {
      notices.value = notices.value.filter((notice) => notice.message !== message)
    },
    dismiss(id: number) {
      notices.value = notices.value.filter((notice) => notice.id !== id)
    },
  }
})
export interface NoticesModel extends InstanceType<typeof NoticesModel> {}
