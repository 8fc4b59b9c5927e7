/**
 * What can go wrong in the store. State is unchanged whenever one of these is thrown.
 *
 * - `unavailable`: this browser has no usable database (private mode of some browsers, a damaged profile).
 * - `blocked`: another tab holds the database in an older version or has not let go of it; close that tab.
 * - `newer-version`: a newer Sotto has already opened this database; reload to get it.
 * - `closed`: this connection has ended, by `close`, by another tab taking over, or by the browser.
 * - `superseded`: this connection led, and another one leads since. Its work is taken up there.
 * - `quota`: the disk or the browser's allowance is full.
 * - `aborted`: the browser gave the transaction up; it may be tried again.
 * - `inactive`: the step awaited something other than its own transaction, which ended without it. A bug.
 * - `sealed`: a stored record does not open with this vault key at this place: damaged or moved.
 * - `failed`: anything else the database reports.
 */
export type StoreErrorCode =
  | 'unavailable'
  | 'blocked'
  | 'newer-version'
  | 'closed'
  | 'superseded'
  | 'quota'
  | 'aborted'
  | 'inactive'
  | 'sealed'
  | 'failed'

/** The one error class of `app/store`. Messages never hold keys or content. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const known: Readonly<Record<string, readonly [StoreErrorCode, string]>> = {
  QuotaExceededError: ['quota', 'the storage space of this browser is used up'],
  AbortError: ['aborted', 'the browser gave the transaction up'],
  VersionError: ['newer-version', 'a newer version has already opened this database'],
  TransactionInactiveError: ['inactive', 'the step awaited something outside its transaction'],
  InvalidStateError: ['closed', 'the database connection is closed'],
  SecurityError: ['unavailable', 'this browser does not allow storage here'],
}

/** The typed form of whatever IndexedDB threw; other classes than DOMException pass unchanged. */
export const toStoreError = (cause: unknown): unknown => {
  if (!(cause instanceof DOMException)) return cause
  const [code, message] = known[cause.name] ?? (['failed', `the database reports ${cause.name}`] as const)
  return new StoreError(code, message, { cause })
}
