import type { Brand } from '../wire/brand.ts'
import { bytes, type Field } from '../wire/codec.ts'

/** The ratchet's keys, 32 bytes each where nothing else is said. Their brands keep one from standing where another belongs. */

/** Keeps what all Diffie-Hellman steps so far agreed on. */
export type RootKey = Brand<Uint8Array, 'RootKey'>
/** Gives the message keys of one chain, one after the other. */
export type ChainKey = Brand<Uint8Array, 'ChainKey'>
/** Seals one message, once. */
export type MessageKey = Brand<Uint8Array, 'MessageKey'>
/** Seals the headers of one chain. */
export type HeaderKey = Brand<Uint8Array, 'HeaderKey'>
/** X25519 public key of one chain. */
export type RatchetKey = Brand<Uint8Array, 'RatchetKey'>
/** X25519 secret of one chain. */
export type RatchetSecret = Brand<Uint8Array, 'RatchetSecret'>

/** ML-KEM-768 seed d || z (64 bytes, FIPS 203 algorithm 16) of a KEM key that was offered: the private half comes from it. */
export type KemSeed = Brand<Uint8Array, 'KemSeed'>

/** Length of each of them but the seed. */
export const keyBytes = 32

/** A field of a stored record that holds one of them. */
export const keyField = <K extends Uint8Array>(): Field<K> =>
  bytes(keyBytes) as Field<Uint8Array> as unknown as Field<K>
