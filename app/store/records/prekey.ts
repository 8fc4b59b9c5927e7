import { decodePrekeySecret, encodePrekeySecret, type PrekeySecret } from '../../../protocol/identity/prekeys.ts'
import type { Table } from '../client-store.ts'

/** The secret halves of this device's prekeys. One-time ones go in the transaction that used them; ids are unique over all kinds. */
export const prekeyTable: Table<PrekeySecret> = {
  name: 'prekeys',
  codec: { encode: encodePrekeySecret, decode: decodePrekeySecret },
  key: (row) => prekeyKey(row.id),
  // So that rotation finds its few rows among hundreds of one-time ones.
  index: (row) => (row.kind === 'signed' || row.kind === 'last-resort-kem' ? rotatedPrekeys : undefined),
}

/** Ids count up from onboarding: as numbers in the clear they would tell how many contacts came, so they are blinded. */
export const prekeyKey = (id: number): [Uint8Array] => {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, id)
  return [out]
}

/** Index value shared by all signed and last-resort prekeys. */
export const rotatedPrekeys: Uint8Array = Uint8Array.of(1)
