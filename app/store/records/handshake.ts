import { bytes, struct, uint } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'
import { prekeyKey } from './prekey.ts'

/** A handshake that was answered; kept as long as its signed prekey, so that it is never answered again. */
const handshake = struct('handshake', {
  handshakeTag: [0, bytes(32)],
  signedPrekeyId: [1, uint(0xffff_ffff)],
})
export type HandshakeRow = ReturnType<typeof handshake.decode>

export const handshakeTable: Table<HandshakeRow> = {
  name: 'handshakes',
  codec: handshake,
  key: (row) => [row.handshakeTag],
  index: (row) => prekeyKey(row.signedPrekeyId)[0],
}
