import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { toHex } from '../wire/bytes.ts'
import { dayMs, hourMs } from '../wire/limits.ts'
import { ratchetDecrypt } from './double-ratchet.ts'
import { End, ends, noData, openWith, random, start, talking, withHeader, type Message } from './ends.fixture.ts'
import { fieldsOf, headerFields } from './header.ts'
import { kemStepMessages, kemStepMs } from './kem-step.ts'
import { initiatorState, ratchetState } from './state.ts'
import { defaultSuite as suite } from './suite.ts'

const fields = ({ header }: Message): number => fieldsOf(header.length)
const { ciphertext, key } = headerFields

/** One message each way: two root steps. Returns the fields of both headers. */
const round = (alice: End, bob: End, now = start): [number, number] => {
  const there = alice.send(now)
  bob.receive(there, now)
  const back = bob.send(now)
  alice.receive(back, now)
  return [fields(there), fields(back)]
}

describe('when a step is made', () => {
  test('in the first chain of an initiator, answered by the first reply', () => {
    const { alice, bob } = ends()
    expect(round(alice, bob)).toEqual([key, ciphertext])
    expect(round(alice, bob)).toEqual([0, 0])
  })

  test('again after 50 messages both ways, by whoever opens a chain then', () => {
    const { alice, bob } = talking()
    const rounds = Array.from({ length: 52 }, () => round(alice, bob))
    const offers = rounds.flat().flatMap((each, i) => (each === key ? [i] : []))
    const answers = rounds.flat().flatMap((each, i) => (each === ciphertext ? [i] : []))
    // Counted from the answer on: 50 messages pass, the next chain offers.
    expect(offers).toEqual([49, 100])
    expect(answers).toEqual([50, 101])
    expect(rounds.flat().filter((each) => each !== 0)).toHaveLength(4)
  })

  test('again after 24 hours, and when the clock was put back by as much', () => {
    for (const [passed, offered] of [
      [kemStepMs - 1, 0],
      [kemStepMs, key],
      [dayMs + hourMs, key],
      [-kemStepMs + 1, 0],
      [-kemStepMs, key],
    ] as const) {
      const { alice } = talking()
      // A state decoded from a record holds no time below zero, so the clock is moved under a later one.
      alice.state = { ...alice.state, sinceKem: { messages: 1, atMs: 2 * dayMs } }
      expect(fields(alice.send(2 * dayMs + passed))).toBe(offered)
    }
  })

  test('its fields stand in every header of the chain that could open it, and in no later one', () => {
    const { alice, bob } = ends()
    const messages = alice.sendMany(1_002)
    expect(new Set(messages.slice(0, 1_001).map(fields))).toEqual(new Set([key]))
    expect(fields(messages[1_001] ?? expect.fail('sent'))).toBe(0)
    expect(bob.refuses(messages[1_001] ?? expect.fail('sent'))).toBe('limit')
    bob.receive(messages[1_000] ?? expect.fail('sent'))
    bob.receive(messages[1_001] ?? expect.fail('sent'))
    expect(bob.skipped).toBe(1_000)
  })

  test('a later one that arrives first is too far ahead, and not taken for an answer left out', () => {
    const { alice, bob } = ends()
    bob.receive(alice.send())
    const replies = bob.sendMany(1_002)
    expect(fields(replies[1_000] ?? expect.fail('sent'))).toBe(ciphertext)
    expect(alice.refuses(replies[1_001] ?? expect.fail('sent'))).toBe('limit')
    alice.receive(replies[1_000] ?? expect.fail('sent'))
    alice.receive(replies[1_001] ?? expect.fail('sent'))
  })

  test('any message of a chain with a step may arrive first', () => {
    const { alice, bob } = ends()
    const [first, , last] = alice.sendMany(3)
    bob.receive(last ?? expect.fail('sent'))
    const replies = bob.sendMany(3)
    expect(replies.map(fields)).toEqual([ciphertext, ciphertext, ciphertext])
    alice.receive(replies[2] ?? expect.fail('sent'))
    alice.receive(replies[0] ?? expect.fail('sent'))
    bob.receive(first ?? expect.fail('sent'))
  })
})

describe('what is refused', () => {
  test('an answer that is missing: the key was stripped, or answered with another', () => {
    const { alice, bob } = ends()
    bob.receive(alice.send())
    const reply = bob.send()
    const stripped = withHeader(alice, reply, ({ kemCiphertext: _, ...header }) => header)
    expect(alice.refuses(stripped)).toBe('key')
    const swapped = withHeader(alice, reply, (header) => ({ ...header, kemCiphertext: random(1_088) }))
    expect(alice.refuses(swapped)).toBe('authentication')
    alice.receive(reply)
  })

  test('an answer that nobody asked for', () => {
    const { alice, bob } = talking()
    const unasked = withHeader(bob, alice.send(), (header) => ({ ...header, kemCiphertext: random(1_088) }))
    expect(bob.refuses(unasked)).toBe('key')
  })

  test('a KEM key to which nothing can be encapsulated', () => {
    const { alice, bob } = ends()
    const message = alice.send()
    const invalid = withHeader(bob, message, (header) => ({ ...header, kemKey: new Uint8Array(1_184).fill(0xff) }))
    expect(bob.refuses(invalid)).toBe('key')
    bob.receive(message)
  })

  test('a KEM key swapped on the way: the two sides then share no root key', () => {
    const { alice, bob } = ends()
    const other = noble.mlkem768Keygen(random(64)).encapsulationKey
    bob.receive(withHeader(bob, alice.send(), (header) => ({ ...header, kemKey: other })))
    expect(alice.refuses(bob.send())).toBe('authentication')
  })

  test('only where a chain opens: the fields of later headers are not looked at', () => {
    const { alice, bob } = ends()
    const [first, second] = alice.sendMany(2)
    bob.receive(first ?? expect.fail('sent'))
    const { nonce, header, body } = second ?? expect.fail('sent')
    const tools = { crypto: noble, nonce }
    const headerKey = bob.state.receiving[0]?.headerKey ?? expect.fail('a chain')
    const plain = suite.header.open(header, headerKey, tools) ?? expect.fail('the header opens')
    const changed = suite.header.seal({ ...plain, kemKey: random(1_184) }, headerKey, tools)
    expect(bob.refuses({ nonce, header: changed, body })).toBe('accepted')
  })
})

describe('what is kept', () => {
  test('the private half until its answer opens, the key until it is answered', () => {
    const { alice, bob } = ends()
    bob.receive(alice.send())
    expect([alice.state.own?.kemSeed?.length, bob.state.remoteKemKey?.length]).toEqual([64, 1_184])
    const reply = bob.send()
    expect([bob.state.remoteKemKey, bob.state.sending?.kemCiphertext?.length]).toEqual([undefined, 1_088])
    alice.receive(reply)
    expect([alice.state.own, alice.state.sending]).toEqual([undefined, undefined])
    for (const { state } of [alice, bob]) expect(ratchetState.decode(ratchetState.encode(state))).toEqual(state)
  })

  test('neither secrets nor decapsulation keys in memory once used', () => {
    const seen: Uint8Array[] = []
    const keep = <T extends Uint8Array>(value: T): T => {
      seen.push(value)
      return value
    }
    const watched = {
      ...noble,
      mlkem768Keygen: (seed: Uint8Array) => {
        const pair = noble.mlkem768Keygen(seed)
        keep(pair.decapsulationKey)
        return pair
      },
      mlkem768Decapsulate: (secret: Uint8Array, sealed: Uint8Array) => keep(noble.mlkem768Decapsulate(secret, sealed)),
    }
    const { alice, bob } = ends()
    bob.receive(alice.send())
    const { nonce, header, body } = bob.send()
    ratchetDecrypt({ ...suite, crypto: watched }, alice.state, header, openWith(body), { now: start, nonce })
    expect(seen.map((value) => value.every((byte) => byte === 0))).toEqual([true, true])
  })

  test('the count of messages, up to 50, on both sides', () => {
    const { alice, bob } = talking()
    expect([alice.state.sinceKem.messages, bob.state.sinceKem.messages]).toEqual([1, 1])
    alice.sendMany(60)
    expect(alice.state.sinceKem).toEqual({ messages: kemStepMessages, atMs: start })
    const fresh = initiatorState(
      {
        rootKey: alice.state.rootKey,
        initiatorHeaderKey: random(32) as never,
        responderHeaderKey: random(32) as never,
      },
      random(32) as never,
      start,
    )
    expect(fresh.sinceKem).toEqual({ messages: kemStepMessages, atMs: start })
  })
})

/**
 * An adversary who once had Alice's whole state, and who can compute every X25519 secret since, as a quantum computer could:
 * each of her ratchet secrets is given away when she makes it. What she draws for ML-KEM is not.
 */
describe('an adversary who broke X25519 and stole the state', () => {
  /** How many of 120 messages, both ways from the theft on, the thief reads; it reads none after the first it cannot. */
  const readable = ({ alice, bob }: { alice: End; bob: End }): number => {
    const thief = new End(alice.state, alice.suite)
    let read = 0
    let follows = true
    for (let i = 0; i < 60; i++) {
      const there = alice.send()
      const given = alice.state.own?.secret ?? expect.fail('she has opened a chain')
      const secrets = [given.slice()]
      if (follows) thief.send(start, (length) => secrets.shift() ?? random(length))
      // She reads her own messages as well, if it stands where she stands.
      follows &&= toHex(thief.state.sending?.chainKey ?? noData) === toHex(alice.state.sending?.chainKey ?? noData)
      if (follows) read++
      bob.receive(there)
      const back = bob.send()
      alice.receive(back)
      follows &&= thief.refuses(back) === 'accepted'
      if (!follows) continue
      thief.receive(back)
      read++
    }
    return read
  }

  test('reads on for ever where only Diffie-Hellman steps are made', () => {
    const { kemRootLabel: _, ...plain } = suite
    expect(readable(talking(plain))).toBe(120)
  })

  test('reads nothing more once a KEM step has passed', () => {
    // The step is offered in the 50th message after the last and answered in the next one.
    expect(readable(talking())).toBe(50)
    // The same from the responder's side, whose turn it is after one more message.
    const { alice, bob } = talking()
    bob.receive(alice.send())
    expect(readable({ alice: bob, bob: alice })).toBe(49)
  })
})
