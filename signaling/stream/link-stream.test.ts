import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { maxEnvelopeBytes } from '../../protocol/wire/limits.ts'
import { startHostPair, type End, type HostPair } from './connection-pair.fixture.ts'
import { FrameReader, FrameWriter } from './framing.ts'
import { decodeLinkFrame, encodeLinkFrame, maxLinkFrameBytes, type LinkFrame } from './link-frame.ts'
import { LinkStream } from './link-stream.ts'

let hosts: HostPair
beforeAll(async () => {
  hosts = await startHostPair()
})
afterAll(async () => {
  await hosts[Symbol.asyncDispose]()
})

const envelope = (i: number, length = 300): Uint8Array => new Uint8Array(length).fill(i & 255)

/** A link end that remembers, and whose answers the test decides. */
const openEnd = ({ stream, connection }: End) => {
  const seen = { envelopes: new Array<Uint8Array>(), batches: new Array<number>(), signals: new Array<Uint8Array>() }
  const ended = Promise.withResolvers<void>()
  let answer = (batch: readonly Uint8Array[]): Promise<boolean[]> => Promise.resolve(batch.map(() => true))
  const link = new LinkStream(stream, connection, {
    onSignal: (signal) => seen.signals.push(signal),
    onEnvelopes: (batch) => {
      seen.batches.push(batch.length)
      seen.envelopes.push(...batch)
      return answer(batch)
    },
    onEnd: () => ended.resolve(),
  })
  return {
    link,
    seen,
    ended: ended.promise,
    answerWith: (next: typeof answer) => {
      answer = next
    },
  }
}

/** A peer that follows the protocol only as far as the test writes; `lives`: it also answers pings. */
const openRaw = ({ stream }: End, { lives = false } = {}) => {
  const reader = new FrameReader(maxLinkFrameBytes)
  const writer = new FrameWriter(stream)
  const frames: LinkFrame[] = []
  let heard = (): void => {}
  stream.addEventListener('message', (event) => {
    const fresh = reader.push(event.data.subarray()).map(decodeLinkFrame)
    frames.push(...fresh)
    if (lives && fresh.some(({ ping }) => ping === true))
      void writer.write(encodeLinkFrame({ pong: true })).catch(() => {})
    heard()
  })
  const closed = new Promise<void>((resolve) => stream.addEventListener('close', () => resolve()))
  return {
    frames,
    closed,
    write: (frame: LinkFrame) => writer.write(encodeLinkFrame(frame)),
    writeBytes: (data: Uint8Array) => writer.write(data),
    until: (condition: () => boolean) =>
      new Promise<void>((resolve) => {
        heard = () => {
          if (condition()) resolve()
        }
        heard()
      }),
  }
}

describe('envelopes', () => {
  test('500 each way arrive once, in order, in batches of at most 50, and are acknowledged', async () => {
    const { near, far } = await hosts.link()
    const [a, b] = [openEnd(near), openEnd(far)]
    const all = Array.from({ length: 500 }, (_, i) => envelope(i))
    const answers = await Promise.all([...all.map((e) => a.link.send(e)), ...all.map((e) => b.link.send(e))])
    expect(answers.every(Boolean)).toBe(true)
    const numbers = (envelopes: readonly Uint8Array[]): (number | undefined)[] => envelopes.map(([first]) => first)
    expect(numbers(a.seen.envelopes)).toEqual(numbers(all))
    expect(numbers(b.seen.envelopes)).toEqual(numbers(all))
    expect(Math.max(...a.seen.batches, ...b.seen.batches)).toBeLessThanOrEqual(50)
    await a.link.close()
  })

  test('none is acknowledged before the engine has answered', async () => {
    const { near, far } = await hosts.link()
    const [a, raw] = [openEnd(near), openRaw(far)]
    const committed = Promise.withResolvers<boolean[]>()
    a.answerWith(() => committed.promise)
    await raw.write({ envelope: { number: 1, envelope: envelope(1) } })
    await raw.write({ ping: true })
    await raw.until(() => raw.frames.length > 0)
    expect(raw.frames).toEqual([{ pong: true }])
    committed.resolve([true])
    await raw.until(() => raw.frames.length > 1)
    expect(raw.frames[1]).toEqual({ ack: [1] })
    a.link.end()
  })

  test('one the engine does not take is refused, and the others are not', async () => {
    const { near, far } = await hosts.link()
    const [a, b] = [openEnd(near), openEnd(far)]
    b.answerWith((batch) => Promise.resolve(batch.map((e) => e[0] !== 1)))
    expect(await Promise.all([0, 1, 2].map((i) => a.link.send(envelope(i))))).toEqual([true, false, true])
    b.answerWith(() => Promise.reject(new Error('disk full')))
    expect(await a.link.send(envelope(3))).toBe(false)
    a.link.end()
  })

  test('at most 64, and at most 1 MiB, are under way', async () => {
    for (const [length, most] of [
      [300, 64],
      [maxEnvelopeBytes, 16],
    ] as const) {
      const { near, far } = await hosts.link()
      const [a, raw] = [openEnd(near), openRaw(far)]
      const sent = Array.from({ length: 100 }, (_, i) => a.link.send(envelope(i, length)))
      await raw.until(() => raw.frames.length >= most)
      // An answer that had to pass everything sent before it.
      a.link.signal(envelope(1, 10))
      await raw.until(() => raw.frames.some(({ signal }) => signal !== undefined))
      expect(raw.frames.filter((frame) => frame.envelope !== undefined)).toHaveLength(most)
      await raw.write({ ack: [1, 2] })
      await raw.until(() => raw.frames.filter((frame) => frame.envelope !== undefined).length === most + 2)
      a.link.end()
      expect((await Promise.all(sent)).filter(Boolean)).toHaveLength(2)
    }
  })
})

describe('a peer that breaks the rules is cut off', () => {
  const cases: [string, (raw: ReturnType<typeof openRaw>) => Promise<unknown>][] = [
    ['garbage', (raw) => raw.writeBytes(Uint8Array.of(1, 2, 3))],
    ['an empty frame', (raw) => raw.writeBytes(Uint8Array.of(0xa0))],
    ['a number out of order', (raw) => raw.write({ envelope: { number: 2, envelope: envelope(1) } })],
    [
      'more than the window',
      (raw) =>
        Promise.all(
          Array.from({ length: 65 }, (_, i) => raw.write({ envelope: { number: i + 1, envelope: envelope(i) } })),
        ),
    ],
    [
      'more bytes than the window',
      (raw) =>
        Promise.all(
          Array.from({ length: 17 }, (_, i) =>
            raw.write({ envelope: { number: i + 1, envelope: envelope(i, maxEnvelopeBytes) } }),
          ),
        ),
    ],
  ]
  test.each(cases)('%s', async (_, misbehave) => {
    const { near, far } = await hosts.link()
    const [a, raw] = [openEnd(near), openRaw(far, { lives: true })]
    a.answerWith(() => new Promise(() => {}))
    const behaviour = misbehave(raw).catch(() => {})
    await a.ended
    await raw.closed
    await behaviour
    expect(a.link.open).toBe(false)
  })
})

describe('the end', () => {
  test('a bye ends the other side at once', async () => {
    const { near, far } = await hosts.link()
    const [a, b] = [openEnd(near), openEnd(far)]
    await a.link.close()
    await b.ended
    expect(await b.link.send(envelope(1))).toBe(false)
  })

  test('a peer that falls silent is noticed long before WebRTC does, and what was under way comes back', async () => {
    const { near, far } = await hosts.link()
    const [a] = [openEnd(near), openRaw(far)]
    const begun = performance.now()
    expect(await a.link.send(envelope(1))).toBe(false)
    await a.ended
    expect(performance.now() - begun).toBeLessThan(8_000)
  }, 15_000)

  test('a peer that lives but settles nothing does not hold envelopes for ever', async () => {
    const { near, far } = await hosts.link()
    const [a, b] = [openEnd(near), openEnd(far)]
    b.answerWith(() => new Promise(() => {}))
    expect(await a.link.send(envelope(1))).toBe(false)
    await a.ended
  }, 15_000)

  test('a living peer keeps a silent link', async () => {
    const { near, far } = await hosts.link()
    const [a, raw] = [openEnd(near), openRaw(far)]
    a.link.attentive = true
    for (let pings = 1; pings <= 2; pings++) {
      await raw.until(() => raw.frames.filter(({ ping }) => ping === true).length >= pings)
      await raw.write({ pong: true })
    }
    expect(a.link.open).toBe(true)
    a.link.end()
  }, 10_000)
})
