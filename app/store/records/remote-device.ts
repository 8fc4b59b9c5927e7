import { bytes, oneOf, optional, struct, uint } from '../../../protocol/wire/codec.ts'
import type { Table } from '../client-store.ts'

/** What is remembered of a contact's device beyond what its account log says; see `services/repair.ts`. */
const remoteDevice = struct('remote-device', {
  contactId: [0, bytes(32)],
  deviceId: [1, bytes(16)],
  /** Creation time of the newest signed prekey seen of it: an older one is refused. 0: none. */
  signedSeenAtMs: [2, uint()],
  /** A handshake that is to be made with it although there may be a session. */
  handshake: [3, oneOf({ none: 0, repair: 1, renewal: 2 })],
  /** How often in a row its session was repaired: each time the pause before the next doubles. */
  repairs: [4, uint()],
  /** When the last repair began. */
  repairedAtMs: [5, optional(uint())],
  /** Envelopes of it that did not open since `countedAtMs`. */
  failures: [6, uint()],
  countedAtMs: [7, uint()],
  /** When profile and lanes were last told again because it asked for something that is gone. */
  toldAgainAtMs: [8, uint()],
})
export type RemoteDeviceRow = ReturnType<typeof remoteDevice.decode>

export const remoteDeviceTable: Table<RemoteDeviceRow> = {
  name: 'remote-devices',
  codec: remoteDevice,
  key: (row) => [row.contactId, row.deviceId],
}
