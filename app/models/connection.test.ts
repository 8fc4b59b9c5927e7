import { expect, it } from 'vitest'
import { connectionOf } from './connection.ts'

it('decides the one word from link, relays and network', () => {
  const cases = [
    ['direct', ['offline'], false, 'Direct'],
    ['relay', ['connected', 'offline'], true, 'Relay'],
    ['none', ['connected'], true, 'Relay'],
    ['relay', ['reconnecting'], true, 'Reconnecting'],
    ['none', ['connecting'], true, 'Reconnecting'],
    ['none', ['reconnecting'], false, 'Offline'],
    ['none', ['offline'], true, 'Offline'],
    ['none', [], true, 'Offline'],
  ] as const
  for (const [path, relays, online, word] of cases) expect(connectionOf(path, relays, online)).toBe(word)
})
