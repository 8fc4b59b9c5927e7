import { bytes, bytesUpTo, struct, uint } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** A prekey's public half that a relay does not have yet; gone once the relay said yes. */
const publication = struct('publication', {
  relayKey: [0, bytes(32)],
  id: [1, uint(0xffff_ffff)],
  /** `signedPublicKey`. */
  prekey: [2, bytesUpTo(2_048)],
})
export type PublicationRow = ReturnType<typeof publication.decode>

export const publicationTable: Table<PublicationRow> = {
  name: 'publications',
  codec: publication,
  key: (row) => [row.relayKey, row.id],
}
