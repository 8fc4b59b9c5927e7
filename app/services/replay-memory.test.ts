import { expect, it } from 'vitest'
import { hourMs } from '../../protocol/wire/limits.ts'
import { createReplayMemory, maxNonces } from './replay-memory.ts'

const nonce = (number: number): Uint8Array => {
  const bytes = new Uint8Array(24)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

it('lets a nonce of a contact pass once in 20 seconds, and by as much longer as its clock is off', () => {
  let now = 0
  const isFresh = createReplayMemory(() => now)
  expect([isFresh('a', nonce(1), 0), isFresh('a', nonce(1), 0), isFresh('b', nonce(1), -hourMs)]).toEqual([
    true,
    false,
    true,
  ])
  now = 20_000
  expect(isFresh('a', nonce(1), 0)).toBe(false)
  now = 20_001
  expect([isFresh('a', nonce(1), 0), isFresh('b', nonce(1), 0)]).toEqual([true, false])
  now = hourMs + 20_001
  expect(isFresh('b', nonce(1), 0)).toBe(true)
})

it('takes 1,024 of a contact, whatever it says of its clock, and goes on taking those of others', () => {
  const isFresh = createReplayMemory(() => 0)
  const answers = Array.from({ length: maxNonces + 1 }, (_, i) => isFresh('liar', nonce(i), 1_000 * hourMs))
  expect(answers.filter(Boolean)).toHaveLength(maxNonces)
  expect(answers.at(-1)).toBe(false)
  expect(isFresh('other', nonce(0), 0)).toBe(true)
})
