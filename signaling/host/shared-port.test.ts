import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import * as webSockets from '@libp2p/websockets'
import type { Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { sharedPortWebSockets } from './shared-port.ts'

vi.mock('@libp2p/websockets', { spy: true })

let server: Server
let port: number
let relay: Libp2p

const common = {
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  connectionGater: { denyDialMultiaddr: () => false },
}

const startRelay = () =>
  createLibp2p({
    ...common,
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [sharedPortWebSockets(server)],
  })

beforeEach(async () => {
  server = createServer((_request, response) => response.end('the app'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(async () => {
  await relay?.stop()
  server.close()
  server.closeAllConnections()
})

test('one port serves pages and libp2p, under the real address of each peer, until the host stops', async () => {
  relay = await startRelay()
  expect(relay.getMultiaddrs().map(String)).toEqual([`/ip4/127.0.0.1/tcp/${port}/ws/p2p/${relay.peerId.toString()}`])
  const client = await createLibp2p({ ...common, transports: [webSockets.webSockets()] })
  const opened = new Promise<string>((resolve) => {
    relay.addEventListener('connection:open', ({ detail }) => resolve(detail.remoteAddr.toString()))
  })
  await client.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}/ws`))
  expect(await opened).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/ws/)
  expect(await opened).not.toContain(`/tcp/${port}/`)
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('the app')
  const closed = new Promise((resolve) => client.addEventListener('connection:close', resolve))
  await relay.stop()
  await closed
  // The HTTP server belongs to its owner and goes on.
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('the app')
  expect(server.listenerCount('upgrade')).toBe(0)
  await client.stop()
})

test('upgrades elsewhere than at / are not found', async () => {
  relay = await startRelay()
  const socket = new WebSocket(`ws://127.0.0.1:${port}/other`)
  const outcome = await new Promise((resolve) => {
    socket.addEventListener('open', () => resolve('open'))
    socket.addEventListener('error', () => resolve('refused'))
  })
  expect(outcome).toBe('refused')
})

test('a library that moved what is replaced here fails at start, with a sentence', async () => {
  const { webSockets: actual } = await vi.importActual<typeof webSockets>('@libp2p/websockets')
  vi.mocked(webSockets.webSockets).mockImplementationOnce((init) => (components) => {
    const transport = actual(init)(components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) => {
      const { wsServer: _renamed, ...others } = createListener(options) as ReturnType<typeof createListener> & {
        wsServer: unknown
      }
      return others as ReturnType<typeof createListener>
    }
    return transport
  })
  await expect(startRelay()).rejects.toThrow('@libp2p/websockets has changed')
})
