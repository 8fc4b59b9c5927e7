import type { BrowserContext } from '@playwright/test'

/** JavaScript that moves every reading of the wall clock by `aheadMs`, once; performance.now() keeps its own time. */
const shift = (aheadMs: number): string =>
  `if (Date.ahead === undefined) {
    const Real = Date
    const now = () => Real.now() + ${aheadMs}
    globalThis.Date = new Proxy(Real, {
      construct: (target, args, self) => Reflect.construct(target, args.length === 0 ? [now()] : args, self),
      apply: () => new Real(now()).toString(),
      get: (target, key, self) => (key === 'now' ? now : key === 'ahead' ? ${aheadMs} : Reflect.get(target, key, self)),
    })
  };\n`

/**
 * A device whose clock is wrong, in pages and in workers: the scripts of the production bundle are served as they are, but
 * for the lines above in front of each.
 */
export const wrongClock =
  (aheadMs: number) =>
  async (context: BrowserContext): Promise<void> => {
    await context.route(/\.js$/, async (route) => {
      const response = await route.fetch()
      await route.fulfill({ response, body: `${shift(aheadMs)}${await response.text()}` })
    })
  }
