import { streamPair } from '@libp2p/utils'
import { describe, expect, test } from 'vitest'
import { struct, uint } from '../../protocol/wire/codec.ts'
import { RelayRefusal, RequestStream, StreamEnded, type RequestStreamOptions } from './request-stream.ts'
import { serveRequests, type RequestHandler, type ServeOptions } from './serve-requests.ts'

const number = struct('number', { value: [0, uint()] })
const never = new AbortController().signal

const pair = async (
  handlers: Record<string, RequestHandler>,
  serve: Partial<ServeOptions> = {},
  options: RequestStreamOptions = {},
) => {
  const [client, server] = await streamPair()
  serveRequests(server, { handlers, ...serve })
  return new RequestStream(client, options)
}

const ask = async (
  stream: RequestStream,
  method: string,
  value: number,
  signal: AbortSignal = never,
): Promise<number> => (await stream.call(method, [number, { value }], number, signal)).value

const plusOne: RequestHandler = (params) => number.encode({ value: number.decode(params).value + 1 })

describe('calls', () => {
  test('are pipelined: each finds its own answer, in whatever order they come', async () => {
    const release: (() => void)[] = []
    const slow: RequestHandler = async (params) => {
      await new Promise<void>((resolve) => release.push(resolve))
      return plusOne(params, undefined as never)
    }
    const started = Promise.withResolvers<void>()
    const stream = await pair({
      slow: (params, context) => {
        if (release.length === 2) started.resolve()
        return slow(params, context)
      },
      fast: plusOne,
    })
    const slows = [1, 2, 3].map((value) => ask(stream, 'slow', value))
    expect(await ask(stream, 'fast', 10)).toBe(11)
    await started.promise
    for (const go of release.toReversed()) go()
    expect(await Promise.all(slows)).toEqual([2, 3, 4])
  })

  test('reach the handler in the order in which they were made', async () => {
    const order: number[] = []
    const stream = await pair({
      note: (params) => {
        order.push(number.decode(params).value)
        return params
      },
    })
    await Promise.all(Array.from({ length: 500 }, (_, i) => ask(stream, 'note', i)))
    expect(order).toEqual(Array.from({ length: 500 }, (_, i) => i))
  })

  test('refusals keep code, message and time; other failures say nothing', async () => {
    const failures: string[] = []
    const stream = await pair(
      {
        slow: () => {
          throw new RelayRefusal('slow-down', 'over the limit', 1_234.5)
        },
        broken: () => {
          throw new Error('the secret reason')
        },
        typed: plusOne,
      },
      { onFailure: (method) => failures.push(method) },
    )
    await expect(ask(stream, 'slow', 1)).rejects.toMatchObject({
      code: 'slow-down',
      message: 'over the limit',
      retryAfterMs: 1_235,
    })
    const broken: unknown = await ask(stream, 'broken', 1).catch((error: unknown) => error)
    expect(broken).toMatchObject({ code: 'internal', retryAfterMs: undefined })
    expect((broken as Error).message).not.toContain('secret')
    expect(failures).toEqual(['broken'])
    for (const method of ['unknown', 'constructor', '__proto__', 'toString']) {
      await expect(ask(stream, method, 1)).rejects.toMatchObject({ code: 'bad-request' })
    }
    const empty = struct('empty', {})
    await expect(stream.call('typed', [empty, {}], number, never)).rejects.toMatchObject({ code: 'bad-request' })
    expect(await ask(stream, 'typed', 1)).toBe(2)
  })

  test('end at their deadline, and a late answer disturbs nobody', async () => {
    const late = Promise.withResolvers<Uint8Array>()
    const stream = await pair({ late: () => late.promise, fast: plusOne })
    const deadline = new AbortController()
    const call = ask(stream, 'late', 1, deadline.signal)
    deadline.abort(new Error('deadline'))
    await expect(call).rejects.toThrow('deadline')
    await expect(ask(stream, 'fast', 1, deadline.signal)).rejects.toThrow('deadline')
    late.resolve(number.encode({ value: 5 }))
    expect(await ask(stream, 'fast', 1)).toBe(2)
  })

  test('fail with StreamEnded when the other side goes, also those made later', async () => {
    const ended = Promise.withResolvers<StreamEnded>()
    const stream = await pair(
      {
        wait: (_params, context) => {
          context.close()
          return new Promise(() => {})
        },
        bye: (params, context) => {
          context.close()
          return params
        },
      },
      {},
      { onEnd: ended.resolve },
    )
    expect(await ask(stream, 'bye', 1)).toBe(1)
    expect(await ended.promise).toBeInstanceOf(StreamEnded)
    expect(stream.open).toBe(false)
    await expect(ask(stream, 'bye', 1)).rejects.toBeInstanceOf(StreamEnded)
  })

  test('closing from this side ends those under way', async () => {
    const reached = Promise.withResolvers<void>()
    const stream = await pair({
      wait: () => {
        reached.resolve()
        return new Promise(() => {})
      },
    })
    const call = ask(stream, 'wait', 1).catch((error: unknown) => error)
    await reached.promise
    await stream.close()
    expect(await call).toBeInstanceOf(StreamEnded)
  })
})

describe('serving', () => {
  test('never runs more at once than allowed, and serves the rest afterwards', async () => {
    let running = 0
    let most = 0
    const stream = await pair(
      {
        work: async (params) => {
          most = Math.max(most, ++running)
          await new Promise((resolve) => setImmediate(resolve))
          running--
          return params
        },
      },
      { maxConcurrent: 4 },
    )
    await Promise.all(Array.from({ length: 300 }, (_, i) => ask(stream, 'work', i)))
    expect(most).toBe(4)
  })

  test('pushes arrive in order beside answers', async () => {
    const got: number[] = []
    const stream = await pair(
      {
        push: async (params, context) => {
          for (let value = 0; value < 100; value++) await context.push(number.encode({ value }))
          return params
        },
      },
      {},
      { onPush: (payload) => got.push(number.decode(payload).value) },
    )
    await ask(stream, 'push', 1)
    expect(got).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  test('asks before every request whether it may be served', async () => {
    const asked: string[] = []
    const stream = await pair(
      { fast: plusOne },
      {
        admit: (method) => {
          asked.push(method)
          if (asked.length > 2) throw new RelayRefusal('slow-down', 'enough', 10)
        },
      },
    )
    const outcomes = await Promise.allSettled([1, 2, 3].map((value) => ask(stream, 'fast', value)))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(asked).toEqual(['fast', 'fast', 'fast'])
  })
})
