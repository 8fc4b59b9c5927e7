import type { Random } from '../protocol/wire/brand.ts'

/**
 * What the network learns from the page around it; `{ window, document, navigator }` of a browser fits as it is. Handed in,
 * so that tests can play a laptop that sleeps.
 */
export interface NetworkEnvironment {
  /** Dispatches `online`, `offline` and `pagehide`. */
  readonly window: EventTarget
  /** Dispatches `visibilitychange`. */
  readonly document: EventTarget & { readonly visibilityState: string }
  readonly navigator: { readonly onLine: boolean }
}

/** Randomness, handed in. Pauses are measured by `performance.now()`, which nobody can put forward or back. */
export interface Chance {
  readonly random: Random
}

/** A number in [0, 1) from four random bytes. */
export const randomFraction = (random: Random): number => {
  const [a = 0, b = 0, c = 0, d = 0] = random(4)
  return (a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32
}

/**
 * Milliseconds to wait after the `failures`-th failure in a row (from 1): doubling from `baseMs` to `capMs`, and then between
 * half and one and a half of that, so that many clients of one relay do not come back in the same instant.
 */
export const backoffMs = (failures: number, baseMs: number, capMs: number, random: Random): number => {
  const full = Math.min(capMs, baseMs * 2 ** Math.min(failures - 1, 20))
  return full * (0.5 + randomFraction(random))
}

/** Calls `listener` when the way to the outside may have come back; returns what ends that. */
export const onAwakening = ({ window, document }: NetworkEnvironment, listener: () => void): (() => void) => {
  const onVisibility = (): void => {
    if (document.visibilityState === 'visible') listener()
  }
  window.addEventListener('online', listener)
  window.addEventListener('offline', listener)
  document.addEventListener('visibilitychange', onVisibility)
  return () => {
    window.removeEventListener('online', listener)
    window.removeEventListener('offline', listener)
    document.removeEventListener('visibilitychange', onVisibility)
  }
}

/**
 * Lets a page do what has come up meanwhile: promises alone go on in the same task for as long as there are any. Not by a timer,
 * which a tab in the background gets once a second.
 */
export const breathe = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
