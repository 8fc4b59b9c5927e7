import { createSocket } from 'node:dgram'
import type { Server } from 'node:http'
import { isIPv6 } from 'node:net'
import { mailboxRetentionMs, minuteMs, secondMs } from '../protocol/wire/limits.ts'
import { startRelayHost, type RelayHost } from '../signaling/host/relay.ts'
import { addressesToTell } from './addresses.ts'
import type { RelayConfig } from './config.ts'
import { createHttpServer, listen } from './http/server.ts'
import { loadStaticApp } from './http/static-app.ts'
import { describeError, type Log } from './log.ts'
import { directoryService } from './services/directory.ts'
import { infoService } from './services/info.ts'
import { Limits } from './services/limits.ts'
import { mailboxService } from './services/mailbox.ts'
import { watchPressure, type Pressure } from './services/pressure.ts'
import { prekeysService } from './services/prekeys.ts'
import { openDataDirectory } from './store/data-directory.ts'
import type { RelayStore } from './store/relay-store.ts'
import { openSqliteStore } from './store/sqlite-store.ts'
import { startStunServer, type StunServer } from './stun/server.ts'

/** Ten minutes: expiry is by the hour, and a step of the sweep is short. */
const sweepEveryMs = 10 * minuteMs

/** Peers that do not answer a goodbye must not hold up a restart. */
const stopTimeoutMs = 5 * secondMs

/** For limits: the machine's clock may be put back, and nobody is to be refused until it has caught up. */
const elapsedMs = (): number => performance.now()

/** The relay cannot start; the message is a sentence for the operator. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

export interface RunningRelay {
  readonly peerId: string
  /** TCP port of app and WebSockets. */
  readonly port: number
  /** UDP port of STUN; 0: none. */
  readonly stunPort: number
  /** Multiaddrs to tell people. */
  addresses(): string[]
  /** Stops taking work, commits what was taken, closes everything. */
  stop(): Promise<void>
}

export interface RelayEnvironment {
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
  /** Version of the software, for identify and info. */
  readonly version: string
  /** Resident memory of the process in bytes. */
  readonly memoryBytes: () => number
}

const portTaken = (port: number, kind: string, flag: string, cause: unknown): StartError => {
  const { code } = describeError(cause)
  if (code === 'EADDRINUSE') {
    return new StartError(
      `${kind} port ${port} is taken by another program; stop it, or choose another with ${flag}.`,
      { cause },
    )
  }
  if (code === 'EACCES')
    return new StartError(`This user may not use ${kind} port ${port}; choose one above 1023 with ${flag}.`, { cause })
  if (code === 'EADDRNOTAVAIL')
    return new StartError('This machine does not have the address given with --host.', { cause })
  return new StartError(`${kind} port ${port} could not be opened (${code || 'unknown reason'}).`, { cause })
}

/** The native webrtc-direct listener reports a taken port poorly, so it is tried first. */
const requireFreeUdpPort = (host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    socket.once('error', (cause) => {
      socket.close()
      reject(portTaken(port, 'UDP', '--udp-port', cause))
    })
    socket.bind({ port, address: host, exclusive: true }, () => socket.close(() => resolve()))
  })

/**
 * Starts everything a relay is, in the order in which parts may fail for an operator's reason.
 * @throws StartError, DataDirectoryError, StoreError, AppMissing: each with a sentence. What was started is stopped again.
 */
export const startRelay = async (config: RelayConfig, environment: RelayEnvironment): Promise<RunningRelay> => {
  const started = new AsyncDisposableStack()
  try {
    const relay = await start(config, environment, started)
    const owned = started.move()
    return { ...relay, stop: () => owned.disposeAsync() }
  } catch (error) {
    await started.disposeAsync()
    throw error
  }
}

const start = async (
  config: RelayConfig,
  environment: RelayEnvironment,
  started: AsyncDisposableStack,
): Promise<Omit<RunningRelay, 'stop'>> => {
  const { log } = environment
  const app = config.app === null ? null : await loadStaticApp(config.app)
  const data = await openDataDirectory(config.data)
  const store = openSqliteStore(data.databasePath)
  started.defer(() => store.close())
  let host: RelayHost | undefined
  const addresses = (): string[] => (host ? addressesToTell(host.addresses(), config.announce) : [])
  const server = createHttpServer({
    app,
    relayJson: () => JSON.stringify({ peerId: host?.peerId, addresses: addresses(), wsPath: '/' }),
    ready: () => host !== undefined && storeWorks(store),
    trustedProxies: config.trustedProxies,
    onFailure: (error) => log('error', 'http-failure', describeError(error)),
  })
  const port = await listen(server, config.host, config.port).catch((cause: unknown) => {
    throw portTaken(config.port, 'TCP', '--port', cause)
  })
  started.defer(() => closeServer(server))
  const stun = await startStun(config)
  if (stun) started.defer(() => stun.close())
  if (config.udpPort !== null && config.udpPort !== 0) await requireFreeUdpPort(config.host, config.udpPort)
  const limits = new Limits(elapsedMs)
  const relayHost = await startRelayHost({
    seed: data.seed,
    server,
    host: config.host,
    ...(config.udpPort === null ? {} : { webRtcDirect: { port: config.udpPort, certificate: data.certificate } }),
    announce: config.announce,
    userAgent: `sotto-relay/${environment.version}`,
    admit: limits.admitConnection,
  })
  started.defer(() => stopHost(relayHost, log))
  const pressure = watchPressure(config.data, environment.memoryBytes)
  started.defer(() => pressure.stop())
  await serveAll(relayHost, { config, environment, store, limits, pressure, addresses, stunPort: stun?.port ?? 0 })
  started.defer(startSweeping(store, limits, environment))
  host = relayHost
  return { peerId: relayHost.peerId, port, stunPort: stun?.port ?? 0, addresses }
}

const startStun = async ({ host, stunPort }: RelayConfig): Promise<StunServer | null> => {
  if (stunPort === null) return null
  try {
    return await startStunServer(host, stunPort, elapsedMs)
  } catch (cause) {
    throw portTaken(stunPort, 'UDP', '--stun-port', cause)
  }
}

interface Parts {
  readonly config: RelayConfig
  readonly environment: RelayEnvironment
  readonly store: RelayStore
  readonly limits: Limits
  readonly pressure: Pressure
  readonly addresses: () => string[]
  readonly stunPort: number
}

const serveAll = async (host: RelayHost, parts: Parts): Promise<void> => {
  const { config, environment, store, limits, pressure, addresses, stunPort } = parts
  const { log, now, version } = environment
  const info = () => ({
    name: config.name,
    version,
    addresses: addresses(),
    stunPort,
    oldestClient: config.oldestClient,
    mailboxRetentionMs,
  })
  const pressureMs = () => pressure.retryMs()
  const services = [
    infoService({ info, limits, log }),
    mailboxService({ store, limits, log, now, pressureMs }),
    prekeysService({ store, limits, log, pressureMs }),
    directoryService({ store, limits, log, pressureMs }),
  ]
  for (const { protocol, serve } of services) await host.serve(protocol, serve)
}

const storeWorks = (store: RelayStore): boolean => {
  try {
    store.check()
    return true
  } catch {
    return false
  }
}

const startSweeping = (store: RelayStore, limits: Limits, { log, now }: RelayEnvironment): (() => void) => {
  const sweep = async (): Promise<void> => {
    limits.sweep()
    try {
      const removed = await store.sweep(now())
      if (removed > 0) log('info', 'swept', { removed })
    } catch (error) {
      log('error', 'sweep-failure', describeError(error))
    }
  }
  const timer = setInterval(() => void sweep(), sweepEveryMs)
  timer.unref()
  void sweep()
  return () => clearInterval(timer)
}

const stopHost = async (host: RelayHost, log: Log): Promise<void> => {
  const stopped = host.stop().catch((error: unknown) => log('warn', 'stop-failure', describeError(error)))
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, stopTimeoutMs)
  })
  await Promise.race([stopped, tooLong])
  clearTimeout(timer)
}

const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
