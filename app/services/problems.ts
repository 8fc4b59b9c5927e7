import { StoreError } from '../store/store-error.ts'
import type { Problem } from './engine-api.ts'

/** A refused outcome. */
export const refuse = (code: Problem['code'], message: string): { ok: false; problem: Problem } => ({
  ok: false,
  problem: { code, message },
})

/** What the person is told when something failed that should not have. */
export const problemOf = (cause: unknown): Problem => {
  if (!(cause instanceof StoreError)) {
    return { code: 'unknown', message: 'Something went wrong here; nothing was changed. The diagnostics know more.' }
  }
  switch (cause.code) {
    case 'quota':
      return { code: 'storage-full', message: 'The storage space of this browser is used up. Free some and try again.' }
    case 'newer-version':
      return { code: 'version', message: 'A newer Sotto has already opened your data. Reload the page to get it.' }
    case 'closed':
      return { code: 'storage-failed', message: 'Sotto is open in another tab now. Continue there, or use it here.' }
    case 'blocked':
      return { code: 'storage-failed', message: 'Another tab still holds your data. Close it and try again.' }
    default:
      return {
        code: 'storage-failed',
        message: 'Your data could not be read or written. Reload the page and try again.',
      }
  }
}
