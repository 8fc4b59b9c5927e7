import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { concatBytes } from '../wire/bytes.ts'
import { encodeCanonical } from '../wire/cbor.ts'
import { refusalInFull } from '../wire/refusal.fixture.ts'
import { ratchetDecrypt, ratchetEncrypt } from './double-ratchet.ts'
import {
  ends,
  noData,
  openWith,
  random,
  seal,
  start,
  talking,
  withHeader,
  type End,
  type Message,
} from './ends.fixture.ts'
import { sealedHeader, type RatchetHeader } from './header.ts'
import type { HeaderKey, RatchetKey } from './keys.ts'
import { ratchetState } from './state.ts'
import { defaultSuite as suite } from './suite.ts'

const at = (messages: readonly Message[], index: number): Message => messages[index] ?? expect.fail('no such message')

/** How `end` refuses the message; its state must stay as it is. */
const refused = (end: End, { nonce, header, body }: Message): string => {
  const before = encodeCanonical(ratchetState.toMap(end.state))
  const received = { now: start, nonce }
  const reason = refusalInFull(() => ratchetDecrypt(suite, end.state, header, openWith(body), received))
  expect(encodeCanonical(ratchetState.toMap(end.state))).toEqual(before)
  return reason
}

/** A message under any header of a chain whose header key is known. */
const forged = (header: Partial<RatchetHeader>, key: HeaderKey): Message => {
  const nonce = random(24)
  const whole = { ratchetKey: random(32) as RatchetKey, previousCount: 0, number: 0, ...header }
  return { nonce, header: sealedHeader.seal(whole, key, { crypto: noble, nonce }), body: noData }
}

describe('every refusal says what is wrong', () => {
  test('when receiving', () => {
    const { alice, bob } = talking()
    const messages = alice.sendMany(1_002)
    expect(refused(ends().bob, at(messages, 0))).toBe('foreign: ratchet: no header key of this session fits')
    const tooMany = 'limit: ratchet: more than 1000 messages skipped at once'
    expect(refused(bob, at(messages, 1_001))).toBe(tooMany)
    bob.receive(at(messages, 0))
    expect(refused(bob, at(messages, 0))).toBe('duplicate: ratchet: message number is spent')
    const headerKey = bob.state.receiving[0]?.headerKey ?? expect.fail('a chain')
    expect(refused(bob, forged({ number: 1_002 }, headerKey))).toBe(tooMany)
    bob.state = { ...bob.state, receiving: bob.state.receiving.map((chain) => ({ ...chain, next: 0xffff_ffff })) }
    const last = forged({ number: 0xffff_ffff }, headerKey)
    expect(refused(bob, last)).toBe('limit: ratchet: chain has no numbers left')
  })

  test('when a chain opens', () => {
    const { alice, bob } = talking()
    const message = alice.send()
    const changed = (change: Partial<RatchetHeader>) =>
      refused(
        bob,
        withHeader(bob, message, (header) => ({ ...header, ...change })),
      )
    const stale = 'key: ratchet: key of a new chain is not fresh'
    expect(changed({ ratchetKey: bob.state.own?.key ?? expect.fail('bob has sent') })).toBe(stale)
    expect(changed({ ratchetKey: bob.state.remoteRatchetKey ?? expect.fail('bob has received') })).toBe(stale)
    const unasked = 'key: ratchet: the answer of a KEM step is missing or was not asked for'
    expect(changed({ kemCiphertext: random(1_088) })).toBe(unasked)
    const invalid = 'key: ratchet: KEM key is not acceptable'
    expect(changed({ kemKey: new Uint8Array(1_184).fill(0xff) })).toBe(invalid)
    expect(changed({})).toBe('accepted')
  })

  test('beyond the end of a closed chain, whether the number is the next or a later one', () => {
    const { alice, bob } = talking()
    bob.receive(alice.send())
    const closed = bob.state.receiving[0]?.headerKey ?? expect.fail('a chain')
    alice.receive(bob.send())
    bob.receive(alice.send())
    const beyond = 'malformed: ratchet: number beyond the end of its chain'
    for (const number of [1, 2, 900]) expect(refused(bob, forged({ number }, closed))).toBe(beyond)
  })

  test('when sending', () => {
    const { alice, bob } = ends()
    const sending = (state: typeof alice.state) =>
      refusalInFull(() => ratchetEncrypt(suite, state, seal, { now: start, random, nonce: random(24) }))
    expect(sending(bob.state)).toBe('key: a responder cannot send before it has received')
    alice.send()
    const { own: _, ...without } = alice.state
    expect(sending(without)).toBe('malformed: ratchet: sending chain without key')
    const at32Bits = (next: number) => ({ ...alice.state, sending: { ...alice.state.sending!, next } })
    expect(sending(at32Bits(0xffff_fffe))).toBe('accepted')
    expect(sending(at32Bits(0xffff_ffff))).toBe('limit: ratchet: chain has no numbers left')
  })

  test('in a header', () => {
    const key = random(32) as HeaderKey
    const open = (length: number) =>
      refusalInFull(() => sealedHeader.open(new Uint8Array(length), key, { crypto: noble, nonce: random(24) }))
    expect(open(57)).toBe('malformed: ratchet header: no header has this length')
    expect(open(56)).toBe('accepted')
  })
})

test('a header is key, counts, ciphertext and key of the KEM step, sealed without associated data', () => {
  const [key, nonce] = [random(32) as HeaderKey, random(24)]
  const [ratchetKey, kemCiphertext, kemKey] = [random(32) as RatchetKey, random(1_088), random(1_184)]
  const header = { ratchetKey, previousCount: 0x0102_0304, number: 0xf000_0001, kemCiphertext, kemKey }
  const numbers = Uint8Array.of(1, 2, 3, 4, 0xf0, 0, 0, 1)
  const plain = concatBytes(ratchetKey, numbers, kemCiphertext, kemKey)
  const sealed = noble.xchacha20poly1305Seal(key, nonce, plain, noData)
  expect(sealedHeader.seal(header, key, { crypto: noble, nonce })).toEqual(sealed)
  expect(sealedHeader.open(sealed, key, { crypto: noble, nonce })).toEqual(header)
})

test('an error that only looks like a refusal is not taken for a foreign header', () => {
  const broken = {
    ...noble,
    xchacha20poly1305Open: () => {
      throw Object.assign(new Error('broken'), { code: 'authentication' })
    },
  }
  const tools = { crypto: broken, nonce: random(24) }
  expect(() => sealedHeader.open(new Uint8Array(56), random(32) as HeaderKey, tools)).toThrow('broken')
})

test('a chain that is said to be shorter than it was loses nothing of what is known', () => {
  const { alice, bob } = talking()
  const first = alice.sendMany(3)
  bob.receive(at(first, 2))
  alice.receive(bob.send())
  const next = withHeader(bob, alice.send(), (header) => ({ ...header, previousCount: 1 }))
  bob.receive(next)
  expect(refused(bob, at(first, 2))).toBe('duplicate: ratchet: message number is spent')
  bob.receive(at(first, 1))
  bob.receive(at(first, 0))
  expect(bob.skipped).toBe(0)
})

test('a damaged message takes nothing away: neither a new chain, nor a number, nor a kept key', () => {
  const { alice, bob } = talking()
  const [first, second, third] = alice.sendMany(3) as [Message, Message, Message]
  const damaged = (message: Message): Message => ({
    ...message,
    body: message.body.with(0, (message.body[0] ?? 0) ^ 1),
  })
  for (const message of [second, third, first]) {
    expect(refused(bob, damaged(message))).toMatch(/^authentication: /)
    bob.receive(message)
  }
  expect(bob.skipped).toBe(0)
})

test('a key is offered when it is due, but never in a chain that answers one', () => {
  const { alice, bob } = ends()
  bob.receive(alice.send())
  bob.state = { ...bob.state, sinceKem: { messages: 50, atMs: start } }
  bob.send()
  expect(bob.state.sending).toMatchObject({ kemCiphertext: expect.any(Uint8Array) })
  expect(bob.state.sending?.kemKey).toBeUndefined()
  expect(bob.state.own?.kemSeed).toBeUndefined()
  expect(bob.state.sinceKem).toEqual({ messages: 1, atMs: start })
})
