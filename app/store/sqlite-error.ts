import { StoreError, type StoreErrorCode } from './store-error.ts'

/** SQLite's primary result codes (sqlite.org/rescode.html) that say something in particular. */
const known: Readonly<Record<number, readonly [StoreErrorCode, string]>> = {
  5: ['blocked', 'another process is using this database'],
  8: ['unavailable', 'the database may not be written'],
  10: ['failed', 'the disk reports an error'],
  11: ['unavailable', 'the database is damaged'],
  13: ['quota', 'the disk is full'],
  14: ['unavailable', 'the database cannot be opened'],
  26: ['unavailable', 'this file is no database'],
}

/** The typed form of whatever SQLite or the file system threw; other errors pass unchanged. */
export const fromSqlite = (cause: unknown): unknown => {
  if (!(cause instanceof Error)) return cause
  const { code, errcode } = cause as { code?: unknown; errcode?: unknown }
  if (code === 'ENOSPC' || code === 'EDQUOT') return new StoreError('quota', 'the disk is full', { cause })
  if (code === 'EACCES' || code === 'EROFS')
    return new StoreError('unavailable', 'this folder may not be written', { cause })
  if (code !== 'ERR_SQLITE_ERROR' || typeof errcode !== 'number') return cause
  // Extended codes carry details above their lowest byte.
  const primary = errcode & 0xff
  const [storeCode, message] = known[primary] ?? (['failed', `SQLite reports ${primary}`] as const)
  return new StoreError(storeCode, message, { cause })
}
