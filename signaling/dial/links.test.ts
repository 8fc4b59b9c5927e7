import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { FakeEngine } from '../network.fixture.ts'
import { startHostPair, type End, type HostPair } from '../stream/connection-pair.fixture.ts'
import { FrameWriter } from '../stream/framing.ts'
import { encodeLinkFrame, type LinkFrame } from '../stream/link-frame.ts'
import { Links } from './links.ts'

let hosts: HostPair
beforeAll(async () => {
  hosts = await startHostPair()
})
afterAll(async () => {
  await hosts[Symbol.asyncDispose]()
})

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** One person's links, with an engine that knows `peer`. */
const person = (peer: string) => {
  const engine = new FakeEngine()
  engine.hellos.set(peer, utf8(`hello to ${peer}`))
  const events: string[] = []
  const links = new Links({
    listener: engine,
    onUp: (contactId) => {
      events.push(`up ${contactId}`)
      engine.changed()
    },
    onDown: (contactId) => {
      events.push(`down ${contactId}`)
      engine.changed()
    },
    isWanted: () => false,
  })
  return { engine, events, links }
}

const alice = person('bob')
const bob = person('alice')
// Each engine opens the other's hello, and nobody else's.
alice.engine.owners.set('hello to alice', 'bob')
bob.engine.owners.set('hello to bob', 'alice')

afterEach(async () => {
  await Promise.all([alice.links.close(), bob.links.close()])
  alice.events.length = 0
  bob.events.length = 0
  bob.engine.received.length = 0
})

/** Opens a link from Alice to Bob on a fresh connection. `Links.open` makes its own stream, so the pair's first is not used. */
const open = async (): Promise<End> => {
  const { near } = await hosts.link()
  const arrival = hosts.next()
  const opening = alice.links.open('bob', near.connection, AbortSignal.timeout(5_000))
  const far = await arrival
  bob.links.accept(far.stream, far.connection)
  await opening
  return far
}

const write = (end: End, frame: LinkFrame): Promise<void> => new FrameWriter(end.stream).write(encodeLinkFrame(frame))

test('a link is bound on both sides by the hellos, and carries envelopes and signals', async () => {
  await open()
  expect(alice.events).toEqual(['up bob'])
  expect(bob.events).toEqual(['up alice'])
  expect(await alice.links.send('bob', utf8('letter'))).toBe(true)
  expect(bob.engine.received[0]?.source).toMatchObject({ kind: 'link', contactId: 'alice' })
  expect(alice.links.signal('bob', utf8('typing'))).toBe(true)
  await bob.engine.until(() => bob.engine.signals.some(({ text }) => text === 'typing'))
  // A signal nobody can open does no harm to a bound link.
  expect(bob.links.current('alice')?.open).toBe(true)
})

test('before a valid hello no envelope is handed on, and an invalid hello ends the link', async () => {
  const { near, far } = await hosts.link()
  bob.links.accept(far.stream, far.connection)
  const closed = new Promise<void>((resolve) => near.stream.addEventListener('close', () => resolve()))
  await write(near, { envelope: { number: 1, envelope: utf8('smuggled') } })
  const begun = performance.now()
  await write(near, { signal: utf8('hello from nobody') })
  await closed
  // Well before a caller that says nothing is let go.
  expect(performance.now() - begun).toBeLessThan(2_000)
  expect(bob.engine.received).toEqual([])
  expect(bob.events).toEqual([])
})

test('a caller that says nothing is let go within seconds', async () => {
  const { near, far } = await hosts.link()
  bob.links.accept(far.stream, far.connection)
  const begun = performance.now()
  await new Promise<void>((resolve) => near.stream.addEventListener('close', () => resolve()))
  expect(performance.now() - begun).toBeLessThan(6_000)
}, 10_000)

test('silent callers cannot hold more than sixteen links', async () => {
  const ends: Awaited<ReturnType<HostPair['link']>>[] = []
  while (ends.length < 17) ends.push(await hosts.link())
  for (const { far } of ends) bob.links.accept(far.stream, far.connection)
  expect(ends.filter(({ far }) => far.connection.status === 'open')).toHaveLength(16)
})

test('without a session nothing is said, and the dial counts as failed', async () => {
  const { near } = await hosts.link()
  const arrival = hosts.next()
  const opening = alice.links.open('carol', near.connection, AbortSignal.timeout(5_000))
  await expect(opening).rejects.toThrow(/no session/)
  await arrival
})

test('of two links the newest is used, and the contact is lost only with the last', async () => {
  await open()
  const first = alice.links.current('bob')
  await open()
  const second = alice.links.current('bob')
  expect(second).not.toBe(first)
  second?.end()
  expect(alice.links.current('bob')).toBe(first)
  expect(alice.events).toEqual(['up bob', 'up bob'])
  first?.end()
  expect(alice.events).toEqual(['up bob', 'up bob', 'down bob'])
  expect(alice.links.signal('bob', utf8('typing'))).toBe(false)
  expect(await alice.links.send('bob', utf8('letter'))).toBe(false)
})
