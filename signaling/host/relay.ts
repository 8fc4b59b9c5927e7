import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { Connection, Libp2p, MultiaddrConnection } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webRTCDirect } from '@libp2p/webrtc'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { kib, minuteMs } from '../../protocol/wire/limits.ts'
import { serveRequests, type ServeOptions } from '../stream/serve-requests.ts'
import { keyOfPeerId, privateKeyOfSeed } from './peer-key.ts'
import { longestAddressDialMs } from './relay-dialler.ts'
import { sharedPortWebSockets, type SharedServer } from './shared-port.ts'
import { silentLogger } from './silent-logger.ts'

/** The certificate of webrtc-direct: ECDSA P-256, both halves as PEM, and its multibase certificate hash. */
export interface WebRtcCertificate {
  readonly privateKey: string
  readonly pem: string
  readonly certhash: string
}

export interface RelayHostOptions {
  /** Ed25519 seed, 32 bytes: the relay's peer key. */
  readonly seed: Uint8Array
  /** Already listening; WebSocket upgrades at path `/` become libp2p connections. */
  readonly server: SharedServer
  /** IP address the HTTP server listens on, for the addresses announced; `0.0.0.0` means every interface. */
  readonly host: string
  /** webrtc-direct; absent: not offered. Port 0 takes a free one. */
  readonly webRtcDirect?: { readonly port: number; readonly certificate: WebRtcCertificate }
  /** Further multiaddrs under which the relay is known (a domain, a port forwarded by a router). */
  readonly announce: readonly string[]
  /** What identify tells peers. */
  readonly userAgent: string
  /** Asked for every new inbound connection before its handshake; `onClose` reports its end. */
  readonly admit: (remoteAddress: string, onClose: (listener: () => void) => void) => boolean
}

/** Who opened a stream, as far as the relay can know. */
export interface Caller {
  /** Names the connection, for limits; unique while the relay runs. */
  readonly connectionId: string
  /** The Ed25519 key (32 bytes) that the connection was authenticated with; null for a key of another kind. */
  readonly peerKey: Uint8Array | null
  /** Remote IP address; never logged, never stored. Empty when it cannot be told. */
  readonly address: string
}

/** The relay's libp2p host. */
export interface RelayHost {
  readonly peerId: string
  /** Multiaddrs ending in the relay's peer id. */
  addresses(): string[]
  /** Open connections, limited ones included. */
  connections(): number
  /** Serves a `/sotto/<service>/1` protocol; `options` is asked once per stream. */
  serve(protocol: string, options: (caller: Caller) => ServeOptions): Promise<void>
  stop(): Promise<void>
}

/** What a relay needs at home: 3,000 people on a machine with 1 GB (about 150 KB each). */
const maxConnections = 3_000

/**
 * Behind a proxy everybody has one address, so the library's limit of 5 per second and address would lock people out; what
 * one address may do is decided by `admit`.
 */
const inboundConnectionThreshold = 1_000

/** A restart brings everybody back at once. */
const maxIncomingPendingConnections = 500

/** More reservations than connections, because those of lost connections stay until they expire. */
const maxReservations = 10_000

/** An hour: browsers renew long before, and a lost connection's reservation does not linger for a day. */
const reservationTtlMs = 60 * minuteMs

/** Dials under way at once per peer; each lasts the seconds in which WebRTC is negotiated. */
const maxHopStreams = 32

/** 1 MiB: a paused stream's sender stops there; the default of 16 MiB would exceed the read buffer and reset the stream. */
const maxStreamWindowBytes = 1024 * kib

/** One long-lived stream per service is the rule; a few more allow for reconnecting. */
const maxStreamsPerService = 4

const asMultiaddrHost = (host: string): string => (host.includes(':') ? `/ip6/${host}` : `/ip4/${host}`)

const create = async (options: RelayHostOptions): Promise<Libp2p> => {
  const { host, webRtcDirect, admit } = options
  const certificate = webRtcDirect?.certificate
  const at = asMultiaddrHost(host)
  return createLibp2p({
    privateKey: await privateKeyOfSeed(options.seed),
    nodeInfo: { userAgent: options.userAgent },
    // The library's own logs hold addresses and peer ids.
    logger: silentLogger,
    addresses: {
      // The port is the HTTP server's own, whatever stands here.
      listen: [`${at}/tcp/0/ws`, ...(webRtcDirect ? [`${at}/udp/${webRtcDirect.port}/webrtc-direct`] : [])],
      appendAnnounce: [...options.announce],
    },
    transports: [
      sharedPortWebSockets(options.server),
      // No ICE servers: the library's default would ask public ones; the relay needs none.
      ...(certificate ? [webRTCDirect({ certificate, rtcConfiguration: { iceServers: [] } })] : []),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: maxStreamWindowBytes } })],
    connectionManager: {
      maxConnections,
      inboundConnectionThreshold,
      maxIncomingPendingConnections,
      // As long as the most patient client waits for it.
      inboundUpgradeTimeout: longestAddressDialMs,
    },
    // A ping a minute finds dead peers; a slow answer alone is no reason to cut anybody off.
    connectionMonitor: { pingInterval: minuteMs, abortConnectionOnPingFailure: false },
    connectionGater: { denyInboundConnection: (connection) => !admitConnection(connection, admit) },
    services: {
      identify: identify(),
      ping: ping(),
      relay: circuitRelayServer({
        maxInboundHopStreams: maxHopStreams,
        reservations: { maxReservations, reservationTtl: reservationTtlMs },
      }),
    },
  })
}

const ipAddressOf = ({ remoteAddr }: MultiaddrConnection | Connection): string =>
  remoteAddr.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6')?.value ?? ''

const admitConnection = (connection: MultiaddrConnection, admit: RelayHostOptions['admit']): boolean =>
  admit(ipAddressOf(connection), (listener) => connection.addEventListener('close', listener))

const callerOf = (connection: Connection): Caller => ({
  connectionId: connection.id,
  peerKey: keyOfPeerId(connection.remotePeer) ?? null,
  address: ipAddressOf(connection),
})

/** Composes and starts the relay's libp2p host. @throws Error when a port is taken or an address cannot be read. */
export const startRelayHost = async (options: RelayHostOptions): Promise<RelayHost> => {
  const libp2p = await create(options)
  return {
    peerId: libp2p.peerId.toString(),
    addresses: () => libp2p.getMultiaddrs().map(String),
    connections: () => libp2p.getConnections().length,
    serve: (protocol, optionsFor) =>
      libp2p.handle(protocol, (stream, connection) => serveRequests(stream, optionsFor(callerOf(connection))), {
        maxInboundStreams: maxStreamsPerService,
      }),
    stop: async () => {
      await libp2p.stop()
    },
  }
}
