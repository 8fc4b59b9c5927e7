import type { Core } from './core.ts'
import { backOff } from './timers.ts'

/** Background work that is driven by what is stored, and repeated until it says that nothing is left. */
export interface Task {
  /** There may be something to do, or a reason to try again at once. */
  kick(): void
}

/**
 * Runs `work` whenever kicked, one at a time; again after a growing pause while it answers false or throws. `work` must read
 * from the store what is left to do, so that a crash at any point only means that it runs again.
 */
export const createTask = (core: Core, work: () => Promise<boolean>): Task => {
  let running = false
  let again = false
  let attempt = 0
  let cancel: (() => void) | undefined

  const run = async (): Promise<void> => {
    running = true
    let finished = false
    do {
      again = false
      try {
        finished = await work()
      } catch (cause) {
        finished = false
        core.report(cause)
      }
    } while (again && !core.timers.closed)
    running = false
    if (finished) attempt = 0
    else cancel = core.timers.after(backOff(core.random, attempt++, core.pace.retryMs), start)
  }

  const start = (): void => {
    cancel?.()
    cancel = undefined
    if (core.timers.closed || !core.network()) return
    if (running) again = true
    else void run()
  }

  return {
    kick: () => {
      attempt = 0
      start()
    },
  }
}
