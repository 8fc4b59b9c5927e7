import { deleteDB, openDB } from 'idb'
import { upgradeSchema } from './schema.ts'

/** Puts a database that nobody has open back to an older schema; rows of kinds that one does not know are dropped. */
export const makeOlder = async (name: string, version: number): Promise<void> => {
  const newer = await openDB(name)
  const rows = new Map<string, { key: IDBValidKey; value: unknown }[]>()
  for (const store of newer.objectStoreNames) {
    const [keys, values] = await Promise.all([newer.getAllKeys(store), newer.getAll(store)])
    rows.set(
      store,
      keys.map((key, i) => ({ key, value: values[i] as unknown })),
    )
  }
  newer.close()
  await deleteDB(name)
  const older = await openDB(name, version, { upgrade: (database, from) => upgradeSchema(database, from, version) })
  const transaction = older.transaction([...older.objectStoreNames], 'readwrite', { durability: 'strict' })
  for (const store of older.objectStoreNames) {
    for (const { key, value } of rows.get(store) ?? []) void transaction.objectStore(store).put(value, key)
  }
  await transaction.done
  older.close()
}
