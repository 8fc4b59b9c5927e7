import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import { blindKey, openRecord, sealRecord } from '../../protocol/vault/vault.ts'
import { concatBytes, toHex } from '../../protocol/wire/bytes.ts'
import type { Random } from '../../protocol/wire/brand.ts'
import type { Key, Table } from './client-store.ts'
import { StoreError } from './store-error.ts'

/** A key as IndexedDB holds and orders it. */
export type StoredKey = (Uint8Array<ArrayBuffer> | number)[]

/** A row as it stands on the disk. */
export interface StoredRow {
  /** The sealed encoding. */
  readonly v: Uint8Array<ArrayBuffer>
  /** The blinded index value, where the table has one. */
  readonly x?: Uint8Array<ArrayBuffer>
}

/** Records of a database without an account, and tables marked so. */
export const noAccount: Uint8Array = new Uint8Array(32)

const numberBytes = (value: number): Uint8Array => {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setFloat64(0, value)
  return out
}

/** Unambiguous because blinded parts and numbers have different, marked lengths. */
const flatten = (key: StoredKey): Uint8Array =>
  concatBytes(
    ...key.map((part) =>
      typeof part === 'number' ? numberBytes(part) : concatBytes(Uint8Array.of(part.length), part),
    ),
  )

/** Names a stored key within one table, for maps in memory. */
export const keyName = (key: Key | StoredKey): string =>
  key.map((part) => (typeof part === 'number' ? `${part}` : toHex(part))).join('/')

/** Seals rows and blinds keys under one vault key. */
export interface Sealing {
  blind(table: string, key: Key): StoredKey
  blindIndex(table: string, index: Uint8Array): Uint8Array<ArrayBuffer>
  seal<Row>(table: Table<Row>, accountId: Uint8Array, key: StoredKey, row: Row): StoredRow
  /** @throws StoreError `sealed`. */
  open<Row>(table: Table<Row>, accountId: Uint8Array, key: StoredKey, stored: StoredRow): Row
}

/** 4,096 blinded parts (about 400 KB): a screen's worth of keys repeats all the time, and each costs an HMAC. */
const maxRemembered = 4_096

/** `crypto` is asked for every record, because it may change to a faster provider. */
export const createSealing = (vaultKey: Uint8Array, random: Random, crypto: () => CryptoProvider): Sealing => {
  const remembered = new Map<string, Uint8Array<ArrayBuffer>>()
  const blindPart = (name: string, part: Uint8Array): Uint8Array<ArrayBuffer> => {
    const memo = `${name}/${toHex(part)}`
    const known = remembered.get(memo)
    if (known) return known
    if (remembered.size >= maxRemembered) remembered.clear()
    const blinded = blindKey(vaultKey, name, part, crypto()).slice()
    remembered.set(memo, blinded)
    return blinded
  }
  const accountOf = <Row>(table: Table<Row>, accountId: Uint8Array): Uint8Array =>
    table.beforeAccount ? noAccount : accountId
  return {
    blind: (table, key) => key.map((part) => (typeof part === 'number' ? part : blindPart(table, part))),
    blindIndex: (table, index) => blindPart(`${table}/index`, index),
    seal: (table, accountId, key, row) => {
      const place = { accountId: accountOf(table, accountId), store: table.name, key: flatten(key) }
      // A copy, because structured cloning takes the whole buffer behind a view.
      const v = sealRecord(vaultKey, place, table.codec.encode(row), random, crypto()).slice()
      const index = table.index?.(row)
      return index ? { v, x: blindPart(`${table.name}/index`, index) } : { v }
    },
    open: (table, accountId, key, stored) => {
      try {
        const place = { accountId: accountOf(table, accountId), store: table.name, key: flatten(key) }
        return table.codec.decode(openRecord(vaultKey, place, stored.v, crypto()))
      } catch (cause) {
        throw new StoreError('sealed', `a record of "${table.name}" does not open`, { cause })
      }
    },
  }
}
