import { bytesUpTo, oneOf, optional, struct, uint } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** The secret half of one prekey. One-time ones go in the transaction that used them. */
const prekey = struct('prekey-secret-row', {
  id: [0, uint(0xffff_ffff)],
  kind: [1, oneOf({ signed: 0, 'one-time': 1, 'one-time-kem': 2, 'last-resort-kem': 3 })],
  /** `encodePrekeySecret`. */
  secret: [2, bytesUpTo(512)],
  createdAtMs: [3, uint()],
  /** Signed and last-resort ones: when a newer one took its place. */
  replacedAtMs: [4, optional(uint())],
})
export type PrekeyRow = ReturnType<typeof prekey.decode>

/** Ids are unique per device over all kinds. */
export const prekeyTable: Table<PrekeyRow> = {
  name: 'prekeys',
  codec: prekey,
  key: (row) => prekeyKey(row.id),
  // So that rotation finds its few rows among hundreds of one-time ones.
  index: (row) => (row.kind === 'one-time' || row.kind === 'one-time-kem' ? undefined : rotatedPrekeys),
}

/** Ids count up from onboarding: as numbers in the clear they would date every contact, so they are blinded bytes. */
export const prekeyKey = (id: number): [Uint8Array] => {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, id)
  return [out]
}

/** Index value shared by all signed and last-resort prekeys. */
export const rotatedPrekeys: Uint8Array = Uint8Array.of(1)
