import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { secondMs } from '../../protocol/wire/limits.ts'
import { RateLimiter } from '../services/rate-limiter.ts'
import { bindingResponse, readBindingRequest } from './message.ts'

export interface StunServer {
  readonly port: number
  close(): Promise<void>
}

/**
 * 50 at once and 10 a second per address: a browser sends a handful per call, and a forged source address gets no more
 * traffic than this. An answer is 44 bytes to a request of 20 or more.
 */
const perAddress = { burst: 50, everyMs: secondMs / 10, maxKeys: 20_000 }

/** Answers STUN Binding requests on UDP. Keeps no log of who asked. @throws Error when the port is taken. */
export const startStunServer = async (host: string, port: number, now: () => number): Promise<StunServer> => {
  const limiter = new RateLimiter(perAddress, now)
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  socket.on('message', (datagram, from) => {
    const transactionId = readBindingRequest(datagram)
    if (!transactionId || limiter.take(from.address) > 0) return
    // An answer that cannot be sent is asked for again (RFC 8489 section 6.2.1).
    socket.send(bindingResponse(transactionId, from.address, from.port), from.port, from.address, () => {})
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(port, host, () => {
      socket.off('error', reject)
      // ICMP errors of unreachable askers end up here; they concern nobody else.
      socket.on('error', () => {})
      resolve()
    })
  })
  return {
    port: socket.address().port,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}
