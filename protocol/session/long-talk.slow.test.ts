import { expect, test } from 'vitest'
import { longTalk } from './long-talk.fixture.ts'

test('no key meets a nonce twice in a million steps, with races and crashes', { timeout: 7_200_000 }, () => {
  // Every message opens after tries under other header keys; their refusals need no stack.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    const { crypto, sent, opened } = longTalk(1_000_000, Number(process.env['SOTTO_SEED'] ?? 4))
    expect(crypto.repeats()).toBe(0)
    expect(crypto.sealed.size).toBe(2 * (sent + 1) + 1)
    expect([sent > 450_000, opened > 450_000]).toEqual([true, true])
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
})
