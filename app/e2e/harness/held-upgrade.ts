import type { BrowserContext } from '@playwright/test'

/** JavaScript that holds a worker at its `stop`-th call of the database, for ever: it asks for something that never comes. */
const hold = (stop: number): string =>
  `if ('WorkerGlobalScope' in globalThis && IDBDatabase.calls === undefined) {
    IDBDatabase.calls = 0
    for (const name of ['createObjectStore', 'transaction']) {
      const real = IDBDatabase.prototype[name]
      IDBDatabase.prototype[name] = function (...args) {
        if (IDBDatabase.calls++ === ${stop}) {
          const request = new XMLHttpRequest()
          request.open('GET', '/held-at-' + name, false)
          request.send()
        }
        return real.apply(this, args)
      }
    }
  };\n`

/** Holds the app's worker in the middle of an upgrade; the scripts of the production bundle stay as they are but for that. */
export class HeldUpgrade {
  /** Before which call it is held, counted from the start of the worker. Nothing is held while this is undefined. */
  stop: number | undefined
  #held = Promise.withResolvers<string>()

  /** For `ProfileOptions`. */
  readonly prepare = async (context: BrowserContext): Promise<void> => {
    const { stop } = this
    if (stop === undefined) return
    this.#held = Promise.withResolvers()
    await context.route(/\.js$/, async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, body: `${hold(stop)}${await response.text()}` })
    })
    // Never answered.
    await context.route(/\/held-at-/, (route) =>
      this.#held.resolve(/held-at-(\w+)/.exec(route.request().url())?.[1] ?? ''),
    )
  }

  /** The name of the call before which the worker stands now. */
  get held(): Promise<string> {
    return this.#held.promise
  }
}
