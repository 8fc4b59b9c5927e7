import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { webSockets } from '@libp2p/websockets'
import { createLibp2p } from 'libp2p'
import { expect, test } from 'vitest'
import { done } from '../../protocol/relay/frame.ts'
import { RequestStream } from './request-stream.ts'
import { serveRequests } from './serve-requests.ts'

const host = (listen: string[]) =>
  createLibp2p({
    addresses: { listen },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: 1024 * 1024 } })],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionMonitor: { enabled: false },
  })

test('a reader that stops makes the sender wait, not buffer; others are served; reading on brings everything', async () => {
  const [client, server] = await Promise.all([host([]), host(['/ip4/127.0.0.1/tcp/0/ws'])])
  let taken = 0
  const total = 200
  await server.handle('/flood/1', (stream) =>
    serveRequests(stream, {
      handlers: {
        flood: (params, context) => {
          void (async () => {
            for (; taken < total; taken++) await context.push(new Uint8Array(100_000))
          })()
          return params
        },
        echo: (params) => params,
      },
    }),
  )
  const connection = await client.dial(server.getMultiaddrs())
  const flooded = await connection.newStream('/flood/1')
  let received = 0
  const complete = Promise.withResolvers<void>()
  const onPush = (): void => {
    received++
    if (received === total) complete.resolve()
  }
  const requests = new RequestStream(flooded, { onPush })
  const other = new RequestStream(await connection.newStream('/flood/1'))
  const deadline = AbortSignal.timeout(20_000)
  await requests.call('flood', [done, {}], done, deadline)
  flooded.pause()
  // 20 MB want to leave; the stream's window holds one, and this side's buffers a few.
  for (let i = 0; i < 300; i++) await other.call('echo', [done, {}], done, deadline)
  expect(taken).toBeLessThan(100)
  flooded.resume()
  await complete.promise
  expect(received).toBe(total)
  await Promise.all([client.stop(), server.stop()])
}, 30_000)
