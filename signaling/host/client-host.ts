import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { ConnectionGater, Libp2p, PrivateKey } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { webRTC, webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { createLibp2p } from 'libp2p'
import { breathe } from '../environment.ts'
import { noiseOptions } from './noise-crypto.ts'
import { silentLogger } from './silent-logger.ts'
import type { StunServers } from './stun-servers.ts'

export interface ClientHostOptions {
  readonly privateKey: PrivateKey
  /** Multiaddrs to listen on: none for hosts that only dial. */
  readonly listen: readonly string[]
  readonly stun: StunServers
  /** Milliseconds after which a dial goes on to the next address. */
  readonly addressDialMs: number
  readonly gater?: Pick<ConnectionGater, 'denyInboundRelayedConnection' | 'denyDialMultiaddr'>
}

/** A started host that can be told to listen on more. */
export type ClientHost = Libp2p<{ listening: Listening }>

interface Listening {
  /** Listens on these multiaddrs as well. @throws when it can do so on none of them. */
  also(addresses: readonly string[]): Promise<void>
}

/** The one composition of libp2p for clients, started. */
export const createClientHost = async ({
  privateKey,
  listen,
  stun,
  addressDialMs,
  gater,
}: ClientHostOptions): Promise<ClientHost> => {
  const host = await createLibp2p({
    start: false,
    privateKey,
    logger: silentLogger,
    // The default tells every peer which browser this is.
    nodeInfo: { name: 'sotto', version: '1', userAgent: 'sotto' },
    addresses: { listen: [...listen] },
    transports: [
      webSockets(),
      webRTC({ rtcConfiguration: () => stun.rtcConfiguration() }),
      // A relay's address is dialled as it is; ICE needs no server for that.
      webRTCDirect({ rtcConfiguration: { iceServers: [] } }),
      circuitRelayTransport(),
    ],
    connectionEncrypters: [noise(noiseOptions)],
    streamMuxers: [yamux()],
    // A relay in the same house or on the same machine is as good as any.
    connectionGater: { denyDialMultiaddr: () => false, ...gater },
    connectionManager: {
      addressDialTimeout: addressDialMs,
      // In the order given: the relay lists its addresses by preference.
      addressSorter: () => 0,
      // Browsers allow 500 RTCPeerConnections, counted until collected; a person's contacts online are far fewer.
      maxConnections: 100,
      maxParallelDials: 8,
      // Everybody calls through the relay and so from one address; the library's 5 a second would lock contacts out. Each
      // call is two connections: the circuit and the direct one.
      inboundConnectionThreshold: 100,
      maxIncomingPendingConnections: 64,
      // Staying connected is the supervisor's decision alone.
      reconnectRetries: 0,
      // Resolving /dnsaddr would ask public resolvers over HTTPS.
      resolvers: {},
    },
    // A stopped relay must not take direct links with it: relays and links are watched one by one, by their own pings.
    connectionMonitor: { enabled: false },
    services: {
      identify: identify({ runOnLimitedConnection: false }),
      // The library listens at its start alone; the rest of it can do so later, and services are handed that.
      listening: ({ transportManager }: { transportManager: { listen(at: Multiaddr[]): Promise<void> } }) => ({
        also: (addresses: readonly string[]) => transportManager.listen(addresses.map((one) => multiaddr(one))),
      }),
    },
  })
  // Making it and starting it are each a long task where the code runs for the first time.
  await breathe()
  await host.start()
  return host
}
