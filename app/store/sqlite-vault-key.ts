import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { createVaultKey, vaultKeyBytes } from '../../protocol/vault/vault.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import type { Random } from '../../protocol/wire/brand.ts'
import { StoreError } from './store-error.ts'

/**
 * The vault key of an engine without a browser: 32 bytes in a file of its own that only its owner may read, beside the
 * database. It protects against nothing but the theft of the database alone, such as a backup that leaves this file out;
 * whoever reads the whole folder, or is this user or root, opens everything. There is no WebCrypto key to hide it behind.
 */

const read = (path: string): Uint8Array | undefined => {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

const synced = (path: string, flags: 'r' | 'wx', bytes?: Uint8Array): void => {
  const file = openSync(path, flags, 0o600)
  try {
    if (bytes) writeSync(file, bytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Whole or not at all, however many do so at once: the first one's key stays. */
const create = (path: string, random: Random): void => {
  const draft = `${path}.${toHex(random(8))}`
  synced(draft, 'wx', createVaultKey(random))
  try {
    linkSync(draft, path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
  } finally {
    rmSync(draft)
  }
  synced(dirname(path), 'r')
}

/** Reads the key, or makes it for a database that is not there yet. @throws StoreError `sealed`; errors of the file system. */
export const openVaultKey = (path: string, hasDatabase: boolean, random: Random): Uint8Array => {
  const known = read(path)
  if (!known && hasDatabase) throw new StoreError('sealed', 'the key of this database is missing')
  if (!known) create(path, random)
  const key = known ?? read(path)
  if (key?.length !== vaultKeyBytes) throw new StoreError('sealed', 'the key of this database is damaged')
  return key
}
