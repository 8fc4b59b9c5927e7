import type { Outcome } from '../services/engine-api.ts'

/** Said when a change could not be written down. */
export const notStored = 'This could not be stored. Reload the page and try again.'

/** Turns a call that may reject (the worker died, the store is gone) into an outcome, so that nothing fails in silence. */
export const attempt = async <T>(call: () => Promise<Outcome<T>>): Promise<Outcome<T>> => {
  try {
    return await call()
  } catch {
    return {
      ok: false,
      problem: {
        code: 'unknown',
        message: 'Sotto stopped answering. Reload the page; nothing that was stored is lost.',
      },
    }
  }
}
