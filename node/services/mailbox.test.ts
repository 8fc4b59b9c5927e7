import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { laneHash } from '../../protocol/envelope/lane.ts'
import { done, maxFrameBytes, replyFrame, requestFrame, type ReplyFrame } from '../../protocol/relay/frame.ts'
import {
  ackParams,
  depositParams,
  envelopesPush,
  mailboxProtocol,
  registerParams,
  revokeLanesParams,
  setLanesParams,
  subscribeParams,
  type EnvelopesPush,
} from '../../protocol/relay/mailbox-calls.ts'
import { mailboxIdOf } from '../../protocol/relay/mailbox-id.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import { encodeFrame, FrameReader } from '../../signaling/stream/framing.ts'

import { random, call, connect, deposit, drain, makeMailbox, type RelayClient } from '../load/relay-client.ts'
import { spawnRelay, temporaryDirectory, type RelayProcess } from '../load/relay-process.ts'

const directory = temporaryDirectory()
let relay: RelayProcess
let address: string
let courier: RelayClient

beforeAll(async () => {
  relay = await spawnRelay(directory.path)
  address = relay.listening.addresses[0] ?? ''
  courier = await connect(address)
})
afterAll(async () => {
  await courier.close()
  expect(await relay.end()).toBe(0)
  directory.remove()
})

/** Collects pushes; `until` resolves when a condition on them holds. */
const collector = () => {
  const pushes: EnvelopesPush[] = []
  let check = (): void => {}
  return {
    pushes,
    envelopes: () => pushes.flatMap((push) => push.envelopes),
    onPush: (payload: Uint8Array) => {
      pushes.push(envelopesPush.decode(payload))
      check()
    },
    until: (holds: () => boolean) =>
      new Promise<void>((resolve) => {
        check = () => {
          if (holds()) resolve()
        }
        check()
      }),
  }
}

describe('mailbox over libp2p', () => {
  test('what waits is pushed oldest first, then what comes, at once', async () => {
    const mailbox = await makeMailbox(address)
    const sender = await courier.open(mailboxProtocol)
    const before = Array.from({ length: 20 }, () => random(300))
    for (const envelope of before) await deposit(sender, mailbox, envelope)
    const got = collector()
    const owner = await connect(address, mailbox.seed)
    const stream = await owner.open(mailboxProtocol, got)
    const { mailboxId } = mailbox
    await call(stream, 'subscribe', [subscribeParams, { mailboxId, window: 100 }], done)
    await got.until(() => got.envelopes().length === 20)
    const after = random(300)
    await deposit(sender, mailbox, after)
    await got.until(() => got.envelopes().length === 21)
    expect(got.envelopes().map(({ envelope }) => toHex(envelope))).toEqual([...before, after].map(toHex))
    expect(toHex(got.envelopes()[0]!.laneHash)).toBe(toHex(laneHash(mailbox.lanes[0]!)))
    await owner.close()
    await sender.close()
  })

  test('the answer to a subscription comes before its first push', async () => {
    const mailbox = await makeMailbox(address)
    const sender = await courier.open(mailboxProtocol)
    await deposit(sender, mailbox, random(300))
    const owner = await connect(address, mailbox.seed)
    const stream = await owner.stream(mailboxProtocol)
    const params = subscribeParams.encode({ mailboxId: mailbox.mailboxId, window: 1 })
    const reader = new FrameReader(maxFrameBytes)
    const replies = new Promise<ReplyFrame[]>((resolve) => {
      const got: ReplyFrame[] = []
      stream.addEventListener('message', ({ data }) => {
        got.push(...reader.push(data.subarray()).map((frame) => replyFrame.decode(frame)))
        if (got.length === 2) resolve(got)
      })
    })
    stream.send(encodeFrame(requestFrame.encode({ id: 7, method: 'subscribe', params })))
    expect(await replies).toMatchObject([{ id: 7, result: done.encode({}) }, { push: expect.any(Uint8Array) }])
    await Promise.all([owner.close(), sender.close()])
  })

  test('pipelined deposits keep their order', async () => {
    const mailbox = await makeMailbox(address)
    const sender = await courier.open(mailboxProtocol)
    const envelopes = Array.from({ length: 1_000 }, () => random(256))
    await Promise.all(envelopes.map((envelope) => deposit(sender, mailbox, envelope)))
    const drained = await drain(address, mailbox)
    expect(drained.map(toHex)).toEqual(envelopes.map(toHex))
    await sender.close()
  })

  test('large envelopes pass, one byte more does not', async () => {
    const mailbox = await makeMailbox(address)
    const sender = await courier.open(mailboxProtocol)
    const envelopes = Array.from({ length: 12 }, () => random(65_536))
    await Promise.all(envelopes.map((envelope) => deposit(sender, mailbox, envelope)))
    await expect(deposit(sender, mailbox, random(65_537))).rejects.toMatchObject({ code: 'limit' })
    expect((await drain(address, mailbox)).map(toHex)).toEqual(envelopes.map(toHex))
    await sender.close()
  })

  test('never more than the window unacknowledged; acknowledging opens it', async () => {
    const mailbox = await makeMailbox(address)
    const sender = await courier.open(mailboxProtocol)
    for (let i = 0; i < 10; i++) await deposit(sender, mailbox, random(256))
    const got = collector()
    const owner = await connect(address, mailbox.seed)
    const stream = await owner.open(mailboxProtocol, got)
    const { mailboxId } = mailbox
    await call(stream, 'subscribe', [subscribeParams, { mailboxId, window: 3 }], done)
    await got.until(() => got.envelopes().length === 3)
    expect(got.pushes[0]?.waiting).toBe(7)
    // A later answer on the same stream comes after every push before it.
    await call(stream, 'ack', [ackParams, { mailboxId, sequences: [] }], done)
    expect(got.envelopes()).toHaveLength(3)
    await call(stream, 'ack', [ackParams, { mailboxId, sequences: [1, 2] }], done)
    await got.until(() => got.envelopes().length === 5)
    await call(stream, 'ack', [ackParams, { mailboxId, sequences: [3, 4, 5] }], done)
    await got.until(() => got.envelopes().length === 8)
    expect(got.pushes.at(-1)?.waiting).toBe(2)
    await owner.close()
    // The rest, and what was not acknowledged, is still there.
    expect(await drain(address, mailbox)).toHaveLength(5)
    await sender.close()
  })

  test('a second subscription ends the first and its stream', async () => {
    const mailbox = await makeMailbox(address)
    const { mailboxId } = mailbox
    const first = await connect(address, mailbox.seed)
    const ended = Promise.withResolvers<void>()
    const stream = await first.open(mailboxProtocol, { onEnd: () => ended.resolve() })
    await call(stream, 'subscribe', [subscribeParams, { mailboxId, window: 10 }], done)
    const got = collector()
    const second = await connect(address, mailbox.seed)
    const other = await second.open(mailboxProtocol, got)
    await call(other, 'subscribe', [subscribeParams, { mailboxId, window: 10 }], done)
    await ended.promise
    // Once more on the same stream: replaced, not ended.
    await call(other, 'subscribe', [subscribeParams, { mailboxId, window: 10 }], done)
    const sender = await courier.open(mailboxProtocol)
    await deposit(sender, mailbox, random(256))
    await got.until(() => got.envelopes().length === 1)
    expect(stream.open).toBe(false)
    expect(other.open).toBe(true)
    await Promise.all([first.close(), second.close(), sender.close()])
  })

  test('only the owner reads, acknowledges and sets lanes; a stranger cannot tell a mailbox from none', async () => {
    const mailbox = await makeMailbox(address)
    const stream = await courier.open(mailboxProtocol)
    const refusals: unknown[] = []
    for (const mailboxId of [mailbox.mailboxId, random(32)]) {
      const calls = [
        call(stream, 'subscribe', [subscribeParams, { mailboxId, window: 1 }], done),
        call(stream, 'ack', [ackParams, { mailboxId, sequences: [1] }], done),
        call(stream, 'setLanes', [setLanesParams, { mailboxId, lanes: [] }], done),
        call(stream, 'revokeLanes', [revokeLanesParams, { mailboxId, laneHashes: [] }], done),
      ]
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'not-owner' } })
        if (outcome.status === 'rejected') refusals.push((outcome.reason as Error).message)
      }
    }
    expect(new Set(refusals).size).toBe(1)
    const { mailboxSecret } = mailbox
    await expect(call(stream, 'register', [registerParams, { mailboxSecret }], done)).rejects.toMatchObject({
      code: 'not-owner',
    })
    await stream.close()
  })

  test('who knows only the public id can neither take a mailbox nor learn whether it is there', async () => {
    const mailbox = await makeMailbox(address)
    const secret = random(32)
    const stream = await courier.open(mailboxProtocol)
    // The ids of a mailbox that is there and of one that is not get the same answer, which makes some other mailbox.
    for (const id of [mailbox.mailboxId, mailboxIdOf(secret)]) {
      expect(await call(stream, 'register', [registerParams, { mailboxSecret: id }], done)).toEqual({})
    }
    await stream.close()
    const late = await connect(address, random(32))
    const own = await late.open(mailboxProtocol)
    expect(await call(own, 'register', [registerParams, { mailboxSecret: secret }], done)).toEqual({})
    await late.close()
    const envelope = random(300)
    await deposit(await courier.open(mailboxProtocol), mailbox, envelope)
    expect((await drain(address, mailbox)).map(toHex)).toEqual([toHex(envelope)])
  })

  test('the same yes for a stored, an unknown, a revoked and a repeated deposit', async () => {
    const mailbox = await makeMailbox(address, 2)
    const { mailboxId } = mailbox
    const owner = await connect(address, mailbox.seed)
    const own = await owner.open(mailboxProtocol)
    const revoked = laneHash(mailbox.lanes[1]!)
    await call(own, 'revokeLanes', [revokeLanesParams, { mailboxId, laneHashes: [revoked] }], done)
    const stream = await courier.open(mailboxProtocol)
    const envelope = random(300)
    const answers = [
      await deposit(stream, mailbox, envelope),
      await deposit(stream, mailbox, envelope),
      await deposit(stream, mailbox, random(300), 1),
      await deposit(stream, { ...mailbox, mailboxId: random(32) }, random(300)),
    ]
    expect(answers).toEqual([{}, {}, {}, {}])
    expect((await drain(address, mailbox)).map(toHex)).toEqual([toHex(envelope)])
    await owner.close()
    await stream.close()
  })

  test('one call reaches several mailboxes', async () => {
    const mailboxes = [await makeMailbox(address), await makeMailbox(address)]
    const stream = await courier.open(mailboxProtocol)
    const envelope = random(300)
    const targets = mailboxes.map(({ mailboxId, lanes }) => ({ mailboxId, lane: lanes[0]! }))
    await call(stream, 'deposit', [depositParams, { envelope, targets }], done)
    for (const mailbox of mailboxes) expect((await drain(address, mailbox)).map(toHex)).toEqual([toHex(envelope)])
    await expect(call(stream, 'deposit', [depositParams, { envelope, targets: [] }], done)).rejects.toMatchObject({
      code: 'bad-request',
    })
    await stream.close()
  })

  test('a lane takes 2,000 at once and then says when', async () => {
    const mailbox = await makeMailbox(address)
    const stream = await courier.open(mailboxProtocol)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 2_100 }, () => deposit(stream, mailbox, random(256))),
    )
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
    expect(refused.length).toBeGreaterThan(50)
    for (const reason of refused) expect(reason).toMatchObject({ code: 'slow-down', retryAfterMs: expect.any(Number) })
    // The same for a lane that does not exist: the limit gives nothing away.
    const nowhere = { ...mailbox, mailboxId: random(32) }
    const more = await Promise.allSettled(Array.from({ length: 2_100 }, () => deposit(stream, nowhere, random(256))))
    expect(more.some((outcome) => outcome.status === 'rejected')).toBe(true)
    await stream.close()
  })
})
