import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { mailboxIdOf } from '../../protocol/relay/mailbox-id.ts'
import type { WaitingEnvelope } from '../../protocol/relay/mailbox-calls.ts'
import type { OwnMailbox } from '../network.ts'
import { RelayRefusal } from '../stream/request-stream.ts'
import type { RelayChannel } from './channel.ts'
import { MailboxReceiver } from './mailbox-receiver.ts'

/** Time and a relay that the test plays: a real one refuses an acknowledgement only in trouble of its own. */
beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const mailboxSecret = new Uint8Array(32).fill(1)
const mailboxId = mailboxIdOf(mailboxSecret)
const mailbox: OwnMailbox = { relayKey: new Uint8Array(32), addresses: [], mailboxId, mailboxSecret }

const waiting = (sequence: number): WaitingEnvelope => ({
  sequence,
  laneHash: new Uint8Array(32),
  envelope: new Uint8Array([sequence]),
})

/** A receiver attached to a relay that holds three envelopes, pushes all it has at each subscription, and may refuse. */
const play = async () => {
  const relay = { held: [1, 2, 3], subscriptions: 0, refusesAcks: false }
  const delivered: number[] = []
  const receiver = new MailboxReceiver({
    mailbox,
    random: (length) => new Uint8Array(length).fill(128),
    deliver: (_source, envelopes) => {
      delivered.push(...envelopes.map(({ envelope }) => envelope[0] ?? 0))
      return Promise.resolve(envelopes.map(() => true))
    },
  })
  const call = ({ method, params }: { method: string; params: readonly [unknown, { sequences?: number[] }] }) => {
    if (method === 'subscribe') {
      relay.subscriptions++
      setTimeout(() => receiver.onPush({ mailboxId, envelopes: relay.held.map(waiting), waiting: 0 }))
    }
    if (method === 'ack') {
      if (relay.refusesAcks) return Promise.reject(new RelayRefusal('overloaded', 'no space left', 1_000))
      relay.held = relay.held.filter((one) => params[1].sequences?.includes(one) !== true)
    }
    return Promise.resolve({})
  }
  const channel = { call, abort: () => undefined, open: true } as unknown as RelayChannel
  await receiver.attach(channel)
  return { relay, delivered, receiver, channel }
}

test('what the engine has taken is acknowledged, and asked for no more', async () => {
  const { relay, delivered } = await play()
  await vi.advanceTimersByTimeAsync(600_000)
  expect(delivered).toEqual([1, 2, 3])
  expect(relay).toMatchObject({ held: [], subscriptions: 1 })
  expect(vi.getTimerCount()).toBe(0)
})

test('an acknowledgement that the relay refuses does not leave its window shut: it is asked again, ever more seldom', async () => {
  const { relay } = await play()
  relay.refusesAcks = true
  await vi.advanceTimersByTimeAsync(600_000)
  expect(relay.held).toEqual([1, 2, 3])
  expect(relay.subscriptions).toBeGreaterThan(5)
  expect(relay.subscriptions).toBeLessThan(25)
  relay.refusesAcks = false
  await vi.advanceTimersByTimeAsync(90_000)
  expect(relay.held).toEqual([])
  const { subscriptions } = relay
  await vi.advanceTimersByTimeAsync(600_000)
  expect(relay.subscriptions).toBe(subscriptions)
})

test('a refusal that comes after the connection was let go asks for nothing', async () => {
  const { relay, receiver, channel } = await play()
  relay.refusesAcks = true
  await vi.advanceTimersByTimeAsync(0)
  receiver.detach(channel)
  await vi.advanceTimersByTimeAsync(600_000)
  expect(relay.subscriptions).toBe(1)
})
