import type { CreateListenerOptions, Listener, Transport } from '@libp2p/interface'
import { getThinWaistAddresses } from '@libp2p/utils'
import { webSockets, type WebSocketsComponents } from '@libp2p/websockets'
import type { Multiaddr } from '@multiformats/multiaddr'
import { kib } from '../../protocol/wire/limits.ts'

/**
 * libp2p WebSockets on an HTTP server that belongs to somebody else, so that the app, its health answers and the relay share
 * one port, and the connections keep their real remote addresses and the server's own slow-request timeouts.
 *
 * The WebSocket listener of js-libp2p always makes its own server; four of its members are replaced here. They are not part
 * of its public interface, hence the guard: an update that moves them fails at start, and in the test beside this file.
 */

/** What is used of a socket that asked to be upgraded (Node's `net.Socket`). */
interface UpgradeSocket {
  setKeepAlive(enable: boolean, initialDelayMs: number): unknown
  setTimeout(timeoutMs: number): unknown
  on(event: 'close' | 'error', listener: () => void): unknown
  end(data: string): unknown
  destroy(): unknown
}

/** What is used of an upgrade request (Node's `http.IncomingMessage`). */
interface UpgradeRequest {
  readonly url?: string | undefined
}

type UpgradeListener = (request: UpgradeRequest, socket: UpgradeSocket, head: Uint8Array) => void

/** What is used of the HTTP server (Node's `http.Server`), which is listening already. */
export interface SharedServer {
  on(event: 'upgrade', listener: UpgradeListener): unknown
  off(event: 'upgrade', listener: UpgradeListener): unknown
  address(): string | { port: number } | null
}

interface ErrorSource {
  on(event: 'error', listener: () => void): unknown
}

interface ListenerInternals {
  server: unknown
  http: unknown
  listeningMultiaddr: Multiaddr
  readonly sockets: Set<UpgradeSocket>
  readonly wsServer: {
    options: { maxPayload?: number }
    handleUpgrade(
      request: UpgradeRequest,
      socket: UpgradeSocket,
      head: Uint8Array,
      done: (webSocket: ErrorSource) => void,
    ): void
    close(): void
  }
  readonly shutdownController: AbortController
  onWsServerConnection(webSocket: ErrorSource, request: UpgradeRequest): void
  safeDispatchEvent(name: 'listening' | 'close'): void
}

/** 1 MiB: libp2p sends a Noise message (64 KiB) or a muxer frame (256 KiB) at a time; the library's default is 100 MiB. */
const maxMessageBytes = 1024 * kib

/** A minute: notices a peer that vanished without a word, at the cost of one packet. */
const keepAliveMs = 60_000

/** A transport factory for `createLibp2p`, listening on `server` at path `/`. @throws Error when the library has changed. */
export const sharedPortWebSockets =
  (server: SharedServer) =>
  (components: WebSocketsComponents): Transport => {
    const transport = webSockets({ bufferedAmountPollInterval: 10 })(components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options: CreateListenerOptions) => attach(createListener(options), server)
    return transport
  }

const members = [
  'server',
  'sockets',
  'wsServer',
  'shutdownController',
  'onWsServerConnection',
  'safeDispatchEvent',
  'getAddrs',
] as const

const attach = (listener: Listener, server: SharedServer): Listener => {
  for (const member of members) {
    if (!(member in listener)) throw new Error(`@libp2p/websockets has changed: its listener has no "${member}"`)
  }
  const internals = listener as Listener & ListenerInternals
  const onUpgrade: UpgradeListener = (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    if (request.url !== '/') {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    internals.sockets.add(socket)
    socket.on('close', () => internals.sockets.delete(socket))
    // The server's idle timeout is for requests; an upgraded connection may be silent.
    socket.setTimeout(0)
    socket.setKeepAlive(true, keepAliveMs)
    internals.wsServer.handleUpgrade(request, socket, head, (webSocket) => {
      // Without a listener the error of a malformed frame would end the process; the connection closes by itself.
      webSocket.on('error', () => {})
      internals.onWsServerConnection(webSocket, request)
    })
  }
  internals.server = server
  internals.http = server
  internals.wsServer.options.maxPayload = maxMessageBytes
  listener.listen = async (address) => {
    internals.listeningMultiaddr = address
    server.on('upgrade', onUpgrade)
    internals.safeDispatchEvent('listening')
  }
  listener.getAddrs = () => {
    const address = server.address()
    if (address === null || typeof address === 'string') return []
    return getThinWaistAddresses(internals.listeningMultiaddr, address.port).map((found) => found.encapsulate('/ws'))
  }
  listener.close = async () => {
    server.off('upgrade', onUpgrade)
    internals.wsServer.close()
    for (const socket of internals.sockets) socket.destroy()
    internals.shutdownController.abort()
    internals.safeDispatchEvent('close')
  }
  return listener
}
