import { expect, test } from 'vitest'
import { longTalk } from './long-talk.fixture.ts'

test('no key meets a nonce twice in 20,000 steps, with races and crashes', { timeout: 300_000 }, () => {
  const { crypto, sent, opened, races, kemSteps, rootSteps } = longTalk(20_000, 3)
  expect(crypto.repeats()).toBe(0)
  // A header's seal and a body's for each message, the first of all among them, and the handshake's identity.
  expect(crypto.sealed.size).toBe(2 * (sent + 1) + 1)
  for (const [count, least] of [
    [sent, 9_000],
    [opened, 9_000],
    [races, 400],
    [kemSteps, 100],
    [rootSteps, 1_000],
  ] as const)
    expect(count).toBeGreaterThan(least)
})
