import { expect, test, vi } from 'vitest'
import { prekeysLowPush } from '../../protocol/relay/prekey-calls.ts'
import { PrekeyWatch } from './prekey-watch.ts'

const [accountId, deviceId] = [new Uint8Array(32), new Uint8Array(16)]
const plenty = { oneTime: 100, oneTimeKem: 100 }
const few = { oneTime: 100, oneTimeKem: 19 }

test('a device that asks a thousand times on one stream is remembered once, and told once after each asking', () => {
  const ended = new AbortController()
  const listen = vi.spyOn(ended.signal, 'addEventListener')
  const pushed: Uint8Array[] = []
  const push = (payload: Uint8Array) => Promise.resolve(void pushed.push(payload))
  const context = { signal: ended.signal, push, close: () => {} }
  const watch = new PrekeyWatch()
  for (let i = 0; i < 1_000; i++) watch.answered(accountId, deviceId, plenty, context)
  expect(listen).toHaveBeenCalledTimes(1)
  for (let i = 0; i < 3; i++) watch.taken(accountId, deviceId, () => few)
  expect(pushed.map((payload) => prekeysLowPush.decode(payload).left)).toEqual([few])
  watch.answered(accountId, deviceId, plenty, context)
  watch.taken(accountId, deviceId, () => few)
  expect(pushed).toHaveLength(2)
  ended.abort()
  watch.taken(accountId, deviceId, () => few)
  expect(pushed).toHaveLength(2)
})
