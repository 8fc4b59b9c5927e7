import { array, multiaddr, struct, text, uint } from '../wire/codec.ts'
import { maxAddressesPerRelay, maxAddressLength } from '../wire/limits.ts'

/** Calls of `/sotto/info/1`: `info`, without parameters (`done`). */
export const infoProtocol = '/sotto/info/1'

export const relayInfo = struct('relay-info', {
  /** What the operator calls the relay. */
  name: [0, text(64)],
  version: [1, text(32)],
  /** Multiaddrs with the relay's peer id. */
  addresses: [2, array(multiaddr(maxAddressLength), maxAddressesPerRelay)],
  /** UDP port on which the relay answers STUN binding requests (RFC 8489); 0 when it does not. */
  stunPort: [3, uint(65_535)],
  /** Oldest protocol version of clients the relay serves. */
  oldestClient: [4, uint(65_535)],
  mailboxRetentionMs: [5, uint()],
})
export type RelayInfo = ReturnType<typeof relayInfo.decode>
