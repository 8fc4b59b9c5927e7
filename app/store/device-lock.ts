import type { IDBPDatabase } from 'idb'
import { createVaultKey } from '../../protocol/vault/vault.ts'
import type { Random } from '../../protocol/wire/brand.ts'
import { StoreError } from './store-error.ts'

/**
 * The default lock: the vault key is wrapped by an AES-256-GCM key that WebCrypto will not export, kept in the same
 * database. Code in a page cannot read that key and a copied row does not open elsewhere; whoever can read this browser
 * profile's files as a whole, or run code as this origin, can still open the vault. A passphrase is the lock against that.
 */

/** The object store that holds the one lock row, under key 0. The only row that is not sealed by the vault. */
export const lockStore = 'lock'

interface LockRow {
  readonly wrappingKey: CryptoKey
  /** 12 bytes, used once: the wrapping key wraps one vault key, once. */
  readonly nonce: Uint8Array<ArrayBuffer>
  readonly wrapped: ArrayBuffer
}

/** Bound into the wrap, so that the bytes mean nothing in another place. */
const additionalData = new TextEncoder().encode('Sotto_device_lock')

const wrap = async (vaultKey: Uint8Array, random: Random): Promise<LockRow> => {
  const wrappingKey = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  const nonce = random(12).slice()
  const wrapped = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv: nonce, additionalData },
    wrappingKey,
    vaultKey.slice(),
  )
  return { wrappingKey, nonce, wrapped }
}

const unwrap = async ({ wrappingKey, nonce, wrapped }: LockRow): Promise<Uint8Array> => {
  try {
    return new Uint8Array(
      await crypto.subtle.decrypt({ name: 'AES-GCM', iv: nonce, additionalData }, wrappingKey, wrapped),
    )
  } catch (cause) {
    throw new StoreError('sealed', 'the vault key does not unwrap', { cause })
  }
}

/** The vault key of this database, made on first use. Several contexts may do so at once: the first row stays. */
export const openDeviceLock = async (database: IDBPDatabase, random: Random): Promise<Uint8Array> => {
  const existing = (await database.get(lockStore, 0)) as LockRow | undefined
  if (existing) return unwrap(existing)
  // WebCrypto first, then the transaction: an await on it inside would end the transaction.
  const fresh = await wrap(createVaultKey(random), random)
  const transaction = database.transaction(lockStore, 'readwrite', { durability: 'strict' })
  const earlier = (await transaction.store.get(0)) as LockRow | undefined
  if (!earlier) await transaction.store.put(fresh, 0)
  await transaction.done
  return unwrap(earlier ?? fresh)
}
