import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { cureDialRace } from './dial-race-plugin.ts'

const module = fileURLToPath(
  new URL('../../node_modules/@libp2p/webrtc/dist/src/private-to-private/initiate-connection.js', import.meta.url),
)
const original = readFileSync(module, 'utf8')

test('the installed dependency has both anchors exactly once', () => {
  const cured = cureDialRace(original)
  expect(cured).toContain(`pEvent(channel, ['open', 'close'], { signal })`)
  expect(cured).toContain(`if (channel.readyState !== 'closed') await pEvent(channel, 'close', { signal })`)
})

test('a changed dependency is refused, not silently left alone', () => {
  expect(() => cureDialRace(original.replaceAll('wait for init channel to open', 'waiting'))).toThrow(/has changed/)
  expect(() => cureDialRace(cureDialRace(original))).toThrow(/has changed/)
  expect(() => cureDialRace(original + original)).toThrow(/has changed/)
})
