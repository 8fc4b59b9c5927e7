import { readFileSync } from 'node:fs'
import { createSocket } from 'node:dgram'
import { get } from 'node:http'
import { connect as tcpConnect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { directoryProtocol, fetchLogParams, publishLogParams } from '../../protocol/relay/directory-calls.ts'
import { done, maxFrameBytes, replyFrame, requestFrame, type ReplyFrame } from '../../protocol/relay/frame.ts'
import { infoProtocol, relayInfo } from '../../protocol/relay/info-calls.ts'
import {
  ackParams,
  depositParams,
  mailboxProtocol,
  registerParams,
  revokeLanesParams,
  setLanesParams,
  subscribeParams,
} from '../../protocol/relay/mailbox-calls.ts'
import {
  countPrekeysParams,
  fetchPrekeysParams,
  prekeysProtocol,
  publishPrekeysParams,
} from '../../protocol/relay/prekey-calls.ts'
import { mailboxIdOf } from '../../protocol/relay/mailbox-id.ts'
import { encodeFrame, FrameReader, FrameWriter } from '../../signaling/stream/framing.ts'
import { makeAccount, makePrekeys } from '../fixtures/account.fixture.ts'
import { random, call, connect } from '../load/relay-client.ts'
import { killLeftovers, spawnRelay, temporaryDirectory, type RelayProcess } from '../load/relay-process.ts'

const directory = temporaryDirectory()
let relay: RelayProcess
let address: string

beforeAll(async () => {
  relay = await spawnRelay(directory.path, { flags: ['--udp-port', '0', '--stun-port', '0'] })
  address = relay.listening.addresses[0] ?? ''
})
afterAll(async () => {
  expect(await relay.end()).toBe(0)
  killLeftovers()
  directory.remove()
})

/** The port of webrtc-direct. */
const udpPort = (): number => Number(/\/udp\/(\d+)\/webrtc-direct/.exec(relay.listening.addresses.join(' '))?.[1])

const account = makeAccount()
const { accountId, device } = account
const { deviceId } = device
const mailboxSecret = random(32)
const mailboxId = mailboxIdOf(mailboxSecret)

/** One well-formed call of every method: what mutations begin with. */
const calls: readonly [protocol: string, method: string, params: Uint8Array][] = [
  [infoProtocol, 'info', done.encode({})],
  [mailboxProtocol, 'register', registerParams.encode({ mailboxSecret })],
  [mailboxProtocol, 'setLanes', setLanesParams.encode({ mailboxId, lanes: [{ laneHash: random(32), envelopes: 3 }] })],
  [mailboxProtocol, 'revokeLanes', revokeLanesParams.encode({ mailboxId, laneHashes: [random(32)] })],
  [
    mailboxProtocol,
    'deposit',
    depositParams.encode({ envelope: random(256), targets: [{ mailboxId, lane: random(32) }] }),
  ],
  [mailboxProtocol, 'subscribe', subscribeParams.encode({ mailboxId, window: 10 })],
  [mailboxProtocol, 'ack', ackParams.encode({ mailboxId, sequences: [1, 2] })],
  [
    prekeysProtocol,
    'publish',
    publishPrekeysParams.encode({ accountId, deviceId, prekeys: makePrekeys(account, 'one-time', 1, 2) }),
  ],
  [prekeysProtocol, 'count', countPrekeysParams.encode({ accountId, deviceId })],
  [prekeysProtocol, 'fetch', fetchPrekeysParams.encode({ accountId })],
  [directoryProtocol, 'publishLog', publishLogParams.encode({ log: account.log })],
  [directoryProtocol, 'fetchLog', fetchLogParams.encode({ accountId })],
]

const below = (limit: number): number => new DataView(random(4).buffer).getUint32(0) % limit

/** Flips, cuts, doubles or replaces bytes of what was well-formed. */
const mutate = (bytes: Uint8Array): Uint8Array => {
  const out = Uint8Array.from(bytes)
  switch (below(4)) {
    case 0:
      for (let i = 0; i <= below(4); i++) out[below(out.length)] = below(256)
      return out
    case 1:
      return out.slice(0, below(out.length))
    case 2:
      return Uint8Array.from([...out, ...out.slice(below(out.length))])
    default:
      return random(below(400))
  }
}

/** A frame that is random, a mutated request, or a request with mutated parameters. */
const badFrame = (id: number, [, method, params]: (typeof calls)[number]): Uint8Array => {
  switch (below(3)) {
    case 0:
      return random(below(300))
    case 1:
      return mutate(requestFrame.encode({ id, method, params }))
    default:
      return requestFrame.encode({ id, method: below(5) === 0 ? 'constructor' : method, params: mutate(params) })
  }
}

const memoryOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024

/** Sends frames on one stream and collects as many replies. */
const exchange = async (
  stream: Awaited<ReturnType<Awaited<ReturnType<typeof connect>>['stream']>>,
  frames: Uint8Array[],
) => {
  const replies: ReplyFrame[] = []
  const reader = new FrameReader(maxFrameBytes)
  const all = new Promise<void>((resolve, reject) => {
    stream.addEventListener('message', ({ data }) => {
      for (const frame of reader.push(data.subarray())) replies.push(replyFrame.decode(frame))
      if (replies.length >= frames.length) resolve()
    })
    stream.addEventListener('close', () => reject(new Error(`closed after ${replies.length} replies`)))
  })
  const writer = new FrameWriter(stream)
  await Promise.all(frames.map((frame) => writer.write(frame)))
  await all
  return replies
}

test.each([infoProtocol, mailboxProtocol, prekeysProtocol, directoryProtocol])(
  '10,000 random and mutated frames to %s: a typed answer each, bounded memory, and good requests still served',
  async (protocol) => {
    const templates = calls.filter(([of]) => of === protocol)
    const before = memoryOf(relay.listening.pid)
    let refused = 0
    // Many connections, since each may ask only so often: most frames get past the limit to the parsers.
    for (let round = 0; round < 100; round++) {
      const client = await connect(address, device.deviceSeed)
      const stream = await client.stream(protocol)
      const frames = Array.from({ length: 100 }, (_, i) => badFrame(i + 1, templates[below(templates.length)]!))
      const replies = await exchange(stream, frames)
      for (const { refusal, result, push } of replies) {
        expect([refusal, result, push].filter((part) => part !== undefined)).toHaveLength(1)
        if (refusal) refused++
        expect(refusal?.code).not.toBe('internal')
      }
      await client.close()
    }
    expect(refused).toBeGreaterThan(7_000)
    expect(memoryOf(relay.listening.pid) - before).toBeLessThan(150e6)
    expect(relay.output()).not.toContain('"level":"error"')
    const good = await connect(address)
    expect(await call(await good.open(infoProtocol), 'info', [done, {}], relayInfo)).toMatchObject({ oldestClient: 1 })
    await good.close()
  },
  60_000,
)

test('a frame longer than allowed is refused before it is read, and ends only its stream', async () => {
  const client = await connect(address)
  const stream = await client.stream(mailboxProtocol)
  const reader = new FrameReader(maxFrameBytes)
  const ended = new Promise<ReplyFrame[]>((resolve) => {
    const replies: ReplyFrame[] = []
    stream.addEventListener('message', ({ data }) => {
      replies.push(...reader.push(data.subarray()).map((frame) => replyFrame.decode(frame)))
    })
    stream.addEventListener('close', () => resolve(replies))
  })
  stream.send(encodeFrame(new Uint8Array(maxFrameBytes + 1)).slice(0, 100))
  expect(await ended).toEqual([{ refusal: { code: 'too-large', message: expect.any(String) } }])
  expect(await call(await client.open(infoProtocol), 'info', [done, {}], relayInfo)).toMatchObject({ oldestClient: 1 })
  await client.close()
})

test('rubbish on the port itself is turned away', async () => {
  const base = `http://127.0.0.1:${relay.listening.port}`
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': Buffer.from(random(16)).toString('base64'),
  }
  const status = await new Promise((resolve, reject) => {
    get(`${base}/elsewhere`, { headers }, (response) => resolve(response.statusCode)).on('error', reject)
  })
  expect(status).toBe(404)
  const socket = new WebSocket(`ws://127.0.0.1:${relay.listening.port}/`)
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  const closed = new Promise((resolve) => socket.addEventListener('close', resolve))
  socket.send(new Uint8Array(2 * 1024 * 1024))
  await closed
  expect((await fetch(`${base}/healthz`)).status).toBe(200)
})

const healthy = async (): Promise<void> => {
  const good = await connect(address)
  expect(await call(await good.open(infoProtocol), 'info', [done, {}], relayInfo)).toMatchObject({ oldestClient: 1 })
  await good.close()
  expect(relay.output()).not.toContain('"level":"error"')
}

test('random bytes instead of TCP requests, WebSocket handshakes and datagrams do no harm', async () => {
  const { port } = relay.listening
  for (let i = 0; i < 30; i++) {
    const tcp = tcpConnect(port, '127.0.0.1')
    const closed = new Promise((resolve) => tcp.on('close', resolve))
    tcp.on('error', () => {})
    tcp.end(random(below(3_000)))
    tcp.resume()
    await closed
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
    const ended = new Promise((resolve) => socket.addEventListener('close', resolve))
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    socket.send(below(2) === 0 ? new Uint8Array(random(below(3_000))) : 'text')
    socket.close()
    await ended
  }
  const datagrams = createSocket('udp4')
  const ports = [relay.listening.stunPort, udpPort()]
  for (let i = 0; i < 600; i++) {
    const sent = Promise.withResolvers<unknown>()
    datagrams.send(random(1 + below(600)), ports[i % 2] ?? 0, '127.0.0.1', sent.resolve)
    await sent.promise
  }
  datagrams.close()
  await healthy()
}, 30_000)

test.each(['/libp2p/circuit/relay/0.2.0/hop', '/ipfs/ping/1.0.0'])(
  "random frames to libp2p's own %s do no harm",
  async (protocol) => {
    for (let i = 0; i < 20; i++) {
      const client = await connect(address)
      const stream = await client.stream(protocol)
      try {
        stream.send(below(2) === 0 ? encodeFrame(random(below(200))) : random(below(2_000)))
        await stream.close({ signal: AbortSignal.timeout(1_000) })
      } catch {
        // The relay may have ended the stream already.
      }
      await client.close()
    }
    await healthy()
  },
  30_000,
)
