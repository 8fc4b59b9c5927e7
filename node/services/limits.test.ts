import { describe, expect, test } from 'vitest'
import { minuteMs } from '../../protocol/wire/limits.ts'
import { Limits } from './limits.ts'
import { RateLimiter } from './rate-limiter.ts'

describe('rate limiter', () => {
  test('lets a burst through, then one at a time, and says when', () => {
    let now = 0
    const limiter = new RateLimiter({ burst: 3, everyMs: 100, maxKeys: 10 }, () => now)
    expect([1, 2, 3, 4].map(() => limiter.take('a'))).toEqual([0, 0, 0, 100])
    expect(limiter.take('b')).toBe(0)
    now = 40
    expect(limiter.waitMs('a')).toBe(60)
    now = 100
    expect([limiter.take('a'), limiter.take('a')]).toEqual([0, 100])
    now = 1_000
    expect([1, 2, 3, 4].map(() => limiter.take('a'))).toEqual([0, 0, 0, 100])
  })

  test('a clock that goes back neither opens nor closes it', () => {
    let now = 1_000
    const limiter = new RateLimiter({ burst: 1, everyMs: 100, maxKeys: 10 }, () => now)
    limiter.take('a')
    now = 0
    expect(limiter.take('a')).toBe(100)
  })

  test('remembers a bounded number of keys; full buckets are swept, the longest untouched go first', () => {
    let now = 0
    const limiter = new RateLimiter({ burst: 1, everyMs: 1_000, maxKeys: 100 }, () => now)
    for (let i = 0; i < 10_000; i++) {
      limiter.take(`key ${i}`)
      expect(limiter.size).toBeLessThanOrEqual(100)
    }
    expect(limiter.waitMs('key 9999')).toBe(1_000)
    now = 2_000
    limiter.sweep()
    expect(limiter.size).toBe(0)
  })
})

describe('limits', () => {
  const limits = () => {
    const clock = { now: 0 }
    return { clock, limits: new Limits(() => clock.now) }
  }

  test('20 connections and 10 new ones a second per address; one that closes makes room; loopback is not counted', () => {
    const { clock, limits: all } = limits()
    const closers: (() => void)[] = []
    const open = (address: string) => all.admitConnection(address, (listener) => closers.push(listener))
    expect(Array.from({ length: 20 }, () => open('192.0.2.1'))).not.toContain(false)
    expect(open('192.0.2.1')).toBe(false)
    expect(open('192.0.2.2')).toBe(true)
    clock.now = 10_000
    expect(open('192.0.2.1')).toBe(false)
    closers[0]?.()
    expect(open('192.0.2.1')).toBe(true)
    expect(open('192.0.2.1')).toBe(false)
    expect(Array.from({ length: 100 }, () => open('127.0.0.1'))).not.toContain(false)
    expect(Array.from({ length: 100 }, () => open('::1'))).not.toContain(false)
  })

  test('a deposit to several lanes is taken as a whole or not at all', () => {
    const { limits: all } = limits()
    for (let i = 0; i < 2_000; i++) all.deposit('a', ['spent'])
    expect(() => all.deposit('a', ['fresh', 'spent'])).toThrow(
      expect.objectContaining({ code: 'slow-down', retryAfterMs: 100 }),
    )
    for (let i = 0; i < 2_000; i++) all.deposit('b', ['fresh'])
    expect(() => all.deposit('b', ['fresh'])).toThrow(expect.objectContaining({ code: 'slow-down' }))
  })

  test('each further target of a deposit is one more request of its connection', () => {
    const { clock, limits: all } = limits()
    const targets = Array.from({ length: 64 }, (_, i) => `lane ${i}`)
    const call = () => {
      all.mailboxRequest('a')
      all.deposit('a', targets)
    }
    for (let i = 0; i < 78; i++) call()
    expect(call).toThrow(expect.objectContaining({ code: 'slow-down' }))
    clock.now = 1_000
    call()
  })

  test('bundles: 6 per asker and target, 30 per address and target whatever the keys', () => {
    const { clock, limits: all } = limits()
    const ask = (asker: string, address = '192.0.2.1', target = 'target'): number => {
      try {
        all.fetchPrekeys(asker, address, target)
        return 0
      } catch (error) {
        return (error as { retryAfterMs: number }).retryAfterMs
      }
    }
    expect(Array.from({ length: 7 }, () => ask('asker'))).toEqual([0, 0, 0, 0, 0, 0, 10 * minuteMs])
    expect(Array.from({ length: 24 }, (_, i) => ask(`other ${i}`))).not.toContain(minuteMs)
    expect(ask('one more')).toBe(minuteMs)
    expect(ask('one more', '192.0.2.2')).toBe(0)
    expect(ask('one more', '192.0.2.1', 'another')).toBe(0)
    clock.now = 10 * minuteMs
    expect(ask('asker')).toBe(0)
    expect(ask('asker')).toBe(10 * minuteMs)
  })

  test('account logs: 12, then one in 5 seconds per address; on the own machine per connection', () => {
    const { clock, limits: all } = limits()
    const publish = (connectionId: string, address = '192.0.2.1') => all.publishLog({ connectionId, address })
    for (let i = 0; i < 12; i++) publish(`connection ${i}`)
    expect(() => publish('another')).toThrow(expect.objectContaining({ code: 'slow-down', retryAfterMs: 5_000 }))
    publish('another', '192.0.2.2')
    for (let i = 0; i < 12; i++) publish('local', '127.0.0.1')
    expect(() => publish('local', '127.0.0.1')).toThrow(expect.objectContaining({ code: 'slow-down' }))
    publish('local too', '127.0.0.1')
    clock.now = 5_000
    publish('another')
  })

  test.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff', true],
    ['2001:db8:1:2::1', '2001:0db8:0001:0002:0:0:0:2', true],
    ['2001:db8::1', '2001:db8:0:0:5::', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8:1::1', false],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['192.0.2.1', '192.0.2.2', false],
  ])('%s and %s count as one address: %s', (a, b, same) => {
    const { limits: all } = limits()
    for (let i = 0; i < 12; i++) all.publishLog({ connectionId: 'a', address: a })
    const other = () => all.publishLog({ connectionId: 'b', address: b })
    if (same) expect(other).toThrow(expect.objectContaining({ code: 'slow-down' }))
    else other()
  })

  test('20 requests a second per connection, after a burst of 60', () => {
    const { clock, limits: all } = limits()
    for (let i = 0; i < 60; i++) all.request('a')
    expect(() => all.request('a')).toThrow(expect.objectContaining({ code: 'slow-down', retryAfterMs: 50 }))
    all.request('b')
    clock.now = 50
    all.request('a')
    all.sweep()
    expect(() => all.request('a')).toThrow()
  })
})
