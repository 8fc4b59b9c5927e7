import type { RelayInfo } from '../../protocol/relay/info-calls.ts'
import { secondMs } from '../../protocol/wire/limits.ts'
import { fetchInfo } from '../relay/calls.ts'
import { RelayChannel } from '../relay/channel.ts'
import { createClientHost } from './client-host.ts'
import { keyOfPeerId, throwawayKey } from './peer-key.ts'
import { looseMultiaddrs } from './relay-addresses.ts'
import { StunServers } from './stun-servers.ts'

/** Each address has this long; a person is waiting. */
const addressDialMs = 4 * secondMs
const deadlineMs = 12 * secondMs

/** Dials a relay by its addresses alone, under a throwaway key, and asks who it is. @throws when none answers. */
export const identifyRelay = async (
  addresses: readonly string[],
): Promise<{ relayKey: Uint8Array; info: RelayInfo }> => {
  const targets = looseMultiaddrs(addresses)
  if (targets.length === 0) throw new Error('none of these is the address of a relay')
  const host = await createClientHost({
    privateKey: await throwawayKey(),
    listen: [],
    stun: new StunServers(),
    addressDialMs,
  })
  try {
    const connection = await host.dial(targets, { signal: AbortSignal.timeout(deadlineMs) })
    const relayKey = keyOfPeerId(connection.remotePeer)
    if (relayKey === undefined) throw new Error('this relay has another kind of key')
    return { relayKey, info: await fetchInfo(new RelayChannel(connection)) }
  } finally {
    await host.stop()
  }
}
