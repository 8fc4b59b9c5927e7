import { StoreError, type StoreErrorCode } from '../store/store-error.ts'
import type { Problem } from './engine-api.ts'

/** A refused outcome. */
export const refuse = (code: Problem['code'], message: string): { ok: false; problem: Problem } => ({
  ok: false,
  problem: { code, message },
})

/** A relay serves only newer clients than this one. */
export const relayNeedsUpdate: Problem = {
  code: 'version',
  message: 'This relay needs a newer Sotto. Reload the page to get it; what you write waits until then.',
}

const reload = 'Your data could not be read or written. Reload the page and try again.'

const storeProblems: Readonly<Record<StoreErrorCode, Problem>> = {
  quota: {
    code: 'storage-full',
    message:
      'The storage space of this browser is used up. Make room on this device and try again; what others send you waits until then.',
  },
  'newer-version': {
    code: 'version',
    message: 'A newer Sotto has already opened your data. Reload the page to get it.',
  },
  closed: { code: 'storage-failed', message: 'Sotto is open in another tab now. Continue there, or use it here.' },
  superseded: { code: 'storage-failed', message: 'Another tab had taken over. Send it again.' },
  blocked: { code: 'storage-failed', message: 'Another tab still holds your data. Close it and try again.' },
  unavailable: {
    code: 'storage-failed',
    message: 'This browser lets Sotto store nothing here. Try a window that is not private.',
  },
  sealed: {
    code: 'storage-failed',
    message: 'Some of your data is damaged and does not open. The diagnostics know which.',
  },
  aborted: { code: 'storage-failed', message: reload },
  inactive: { code: 'storage-failed', message: reload },
  failed: { code: 'storage-failed', message: reload },
}

/** What the person is told when something failed that should not have. */
export const problemOf = (cause: unknown): Problem =>
  cause instanceof StoreError
    ? storeProblems[cause.code]
    : { code: 'unknown', message: 'Something went wrong here; nothing was changed. The diagnostics know more.' }
