import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { secondMs } from '../../protocol/wire/limits.ts'
import { securityHeaders } from './headers.ts'
import type { StaticApp } from './static-app.ts'

export interface HttpOptions {
  readonly app: StaticApp | null
  /** Body of `/relay.json`. */
  readonly relayJson: () => string
  /** Whether the relay takes work. */
  readonly ready: () => boolean
  /** IP addresses of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  readonly onFailure: (error: unknown) => void
}

/**
 * The relay's HTTP server, not yet listening. WebSocket upgrades are the business of the libp2p listener attached later.
 * Slow senders are cut off: headers within 10 s, whole requests (which have no body) within 15 s, idle sockets after 60 s.
 */
export const createHttpServer = (options: HttpOptions): Server => {
  const server = createServer(
    {
      headersTimeout: 10 * secondMs,
      requestTimeout: 15 * secondMs,
      keepAliveTimeout: 30 * secondMs,
      connectionsCheckingInterval: 5 * secondMs,
      // 16 KiB is Node's default as well; said here because it bounds memory per connection.
      maxHeaderSize: 16_384,
    },
    (request, response) => {
      answer(options, request, response).catch((error: unknown) => {
        options.onFailure(error)
        response.destroy()
      })
    },
  )
  server.timeout = 60 * secondMs
  if (options.trustedProxies.length > 0) believeProxies(server, options.trustedProxies)
  return server
}

const answer = async (options: HttpOptions, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD')
    sendText(request, response, 405, 'method not allowed\n')
    return
  }
  const pathname = (request.url ?? '/').split(/[?#]/, 1)[0] ?? '/'
  switch (pathname) {
    case '/relay.json':
      response.setHeader('Content-Type', 'application/json')
      sendText(request, response, 200, options.relayJson())
      return
    case '/healthz':
      sendText(request, response, 200, 'ok\n')
      return
    case '/readyz':
      if (options.ready()) sendText(request, response, 200, 'ready\n')
      else sendText(request, response, 503, 'not ready\n')
      return
    default:
      if (await options.app?.serve(pathname, request, response)) return
      sendText(request, response, 404, 'not found\n')
  }
}

const sendText = (request: IncomingMessage, response: ServerResponse, status: number, body: string): void => {
  if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.setHeader('Cache-Control', 'no-store')
  response
    .writeHead(status, { 'Content-Length': Buffer.byteLength(body) })
    .end(request.method === 'HEAD' ? undefined : body)
}

/**
 * Behind a proxy every connection comes from its address. What it appended last to X-Forwarded-For is the address it saw
 * itself; earlier entries are the visitor's own claims.
 */
const believeProxies = (server: Server, proxies: readonly string[]): void => {
  server.prependListener('upgrade', (request: IncomingMessage) => {
    const from = request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? ''
    const forwarded = String(request.headers['x-forwarded-for'] ?? '')
      .split(',')
      .at(-1)
      ?.trim()
    if (forwarded && proxies.includes(from)) {
      Object.defineProperty(request.socket, 'remoteAddress', { value: forwarded, configurable: true })
    }
  })
}

/** Listens, or throws the system's error (`EADDRINUSE`, `EACCES`, …). Resolves to the port. */
export const listen = (server: Server, host: string, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
