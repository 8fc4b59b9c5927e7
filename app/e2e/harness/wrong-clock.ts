import type { BrowserContext } from '@playwright/test'

/** JavaScript that moves every reading of the wall clock by `aheadMs`; performance.now() keeps its own time. */
const shift = (aheadMs: number): string => `{
  const Real = Date
  const now = () => Real.now() + ${aheadMs}
  globalThis.Date = new Proxy(Real, {
    construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [now()] : args, self),
    apply: () => new Real(now()).toString(),
    get: (target, key, self) => (key === 'now' ? now : Reflect.get(target, key, self)),
  })
}\n`

/**
 * A device whose clock is wrong, in pages and in workers: the scripts of the production bundle are served unchanged but for
 * the lines above in front of each worker's first one.
 */
export const wrongClock =
  (aheadMs: number) =>
  async (context: BrowserContext): Promise<void> => {
    await context.addInitScript({ content: shift(aheadMs) })
    await context.route(/\.js$/, async (route) => {
      const response = await route.fetch()
      const body = await response.text()
      const isWorker = (await route.request().headerValue('sec-fetch-dest')) === 'worker'
      await route.fulfill({ response, body: isWorker ? `${shift(aheadMs)}${body}` : body })
    })
  }
