import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { multiaddr } from '@multiformats/multiaddr'
import { peerIdFromString } from '@libp2p/peer-id'
import { keyOfPeerId } from '../host/peer-key.ts'
import type { RelayAddress } from '../network.ts'

/** A real relay as a process of its own, on the loopback interface, that keeps its ports and data over restarts. */
export interface RelayProcess extends AsyncDisposable {
  readonly address: RelayAddress
  readonly process: () => ChildProcess
  /** Sends a signal and, for those that end it, waits for the end. */
  readonly signal: (name: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT') => Promise<void>
  /** Starts it again after it has ended. */
  readonly restart: () => Promise<void>
}

const main = fileURLToPath(new URL('../../node/main.ts', import.meta.url))

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })

interface Listening {
  readonly event?: string
  readonly peerId: string
  readonly addresses: string[]
}

const listening = (child: ChildProcess): Promise<Listening> =>
  new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error('no output')
    let heard = ''
    createInterface({ input: child.stdout }).on('line', (line) => {
      heard += `${line}\n`
      if (!line.includes('"listening"')) return
      resolve(JSON.parse(line) as Listening)
    })
    child.stderr?.on('data', (data: Buffer) => (heard += String(data)))
    child.once('exit', (code) => reject(new Error(`the relay ended with ${code}:\n${heard}`)))
  })

/** Starts a relay with more flags; `by` says which of its addresses are given out. */
export const startRelayProcess = async ({
  by = 'ws',
  flags = [],
}: { by?: 'ws' | 'webrtc-direct'; flags?: readonly string[] } = {}): Promise<RelayProcess> => {
  const data = await mkdtemp(join(tmpdir(), 'sotto-relay-'))
  const [port, udpPort, stunPort] = await Promise.all([freePort(), freePort(), freePort()])
  let child: ChildProcess
  const launch = async (): Promise<Listening> => {
    const ports = ['--port', String(port), '--udp-port', String(udpPort), '--stun-port', String(stunPort)]
    child = spawn(process.execPath, [main, '--no-app', '--host', '127.0.0.1', '--data', data, ...ports, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return listening(child)
  }
  const { peerId, addresses } = await launch()
  const relayKey = keyOfPeerId(peerIdFromString(peerId))
  if (relayKey === undefined) throw new Error('the relay has no Ed25519 key')
  const isMeant = (text: string): boolean =>
    multiaddr(text)
      .getComponents()
      .some(({ name }) => name === by)
  return {
    address: { relayKey, addresses: addresses.filter(isMeant) },
    process: () => child,
    signal: async (name) => {
      child.kill(name)
      if (name === 'SIGKILL' || name === 'SIGTERM') await ended(child)
    },
    restart: async () => {
      await launch()
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await ended(child)
      await rm(data, { recursive: true, force: true })
    },
  }
}
