import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { webSockets } from '@libp2p/websockets'
import { createLibp2p } from 'libp2p'
import { linkProtocol } from './link-frame.ts'

/** Two real libp2p hosts on one machine, and link streams between them. */
export interface HostPair extends AsyncDisposable {
  /** A fresh connection with a link stream on it, as the dialling and as the listening end see it. */
  link(): Promise<{ near: End; far: End }>
  /** The listening end of the next link stream that arrives. */
  next(): Promise<End>
}

export interface End {
  readonly stream: Stream
  readonly connection: Connection
}

const host = (listen: string[]): Promise<Libp2p> =>
  createLibp2p({
    addresses: { listen },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionManager: { inboundConnectionThreshold: 1_000 },
    connectionMonitor: { enabled: false },
  })

export const startHostPair = async (): Promise<HostPair> => {
  const [dialler, listener] = await Promise.all([host([]), host(['/ip4/127.0.0.1/tcp/0/ws'])])
  const arrivals: ((end: End) => void)[] = []
  await listener.handle(linkProtocol, (stream, connection) => arrivals.shift()?.({ stream, connection }))
  const next = (): Promise<End> => new Promise((resolve) => arrivals.push(resolve))
  return {
    next,
    link: async () => {
      const arrival = next()
      const connection = await dialler.dial(listener.getMultiaddrs(), { force: true })
      const stream = await connection.newStream(linkProtocol)
      return { near: { stream, connection }, far: await arrival }
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([dialler.stop(), listener.stop()])
    },
  }
}
