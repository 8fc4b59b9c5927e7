import { describe, expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import type { Random } from '../wire/brand.ts'
import { ratchetDecrypt, ratchetEncrypt } from './double-ratchet.ts'
import { ends, openWith, random, seal, start, talking, type End, type Message } from './ends.fixture.ts'
import { ratchetState, type RatchetState } from './state.ts'
import { defaultSuite } from './suite.ts'

/** Whatever a step computes or is handed and does not keep in its new state must be zeros afterwards. */

const seen: Uint8Array[] = []
const keep = <T extends Uint8Array>(bytes: T): T => {
  seen.push(bytes)
  return bytes
}

/** Notes every secret that the primitives give or take. */
const watching: CryptoProvider = {
  ...noble,
  x25519: (secret, key) => keep(noble.x25519(secret, key)),
  hkdfSha256: (ikm, salt, info, length) => keep(noble.hkdfSha256(keep(ikm), salt, info, length)),
  hmacSha256Pair: (key, first, second) => {
    const [one, other] = noble.hmacSha256Pair(keep(key), first, second)
    return [keep(one), keep(other)]
  },
  mlkem768Keygen: (seed) => {
    const { encapsulationKey, decapsulationKey } = noble.mlkem768Keygen(seed)
    return { encapsulationKey, decapsulationKey: keep(decapsulationKey) }
  },
  mlkem768Encapsulate: (key, m) => {
    const { ciphertext, sharedSecret } = noble.mlkem768Encapsulate(key, m)
    return { ciphertext, sharedSecret: keep(sharedSecret) }
  },
  mlkem768Decapsulate: (key, ciphertext) => keep(noble.mlkem768Decapsulate(key, ciphertext)),
}
const suite = { ...defaultSuite, crypto: watching }
const handing: Random = (length) => keep(random(length))

/** How many of the secrets seen are neither wiped nor part of a state that somebody keeps: the given one, the new one. */
const leftBehind = (...states: readonly RatchetState[]): number => {
  const kept = new Set<unknown>()
  const collect = (value: unknown): void => {
    if (value instanceof Uint8Array || typeof value !== 'object' || value === null) kept.add(value)
    else Object.values(value).forEach(collect)
  }
  states.forEach(collect)
  return seen.filter((bytes) => !kept.has(bytes) && bytes.some((byte) => byte !== 0)).length
}

const receive = (end: End, { nonce, header, body }: Message, open = openWith(body)): RatchetState =>
  ratchetDecrypt(suite, end.state, header, open, { now: start, nonce }).state

describe('nothing is left in memory', () => {
  test('by a message that opens a chain, offers a KEM key or answers one', () => {
    const { alice, bob } = ends()
    for (const [end, other] of [
      [alice, bob],
      [bob, alice],
      [alice, bob],
    ] as const) {
      seen.length = 0
      const nonce = random(24)
      const { state, sealedHeader, body } = ratchetEncrypt(suite, end.state, seal, {
        now: start,
        random: handing,
        nonce,
      })
      expect(seen.length).toBeGreaterThan(4)
      expect(leftBehind(end.state, state)).toBe(0)
      end.state = state
      other.receive({ nonce, header: sealedHeader, body })
    }
  })

  test('by a message that opens a chain of the remote, closes the one before, and skips numbers', () => {
    const { alice, bob } = talking()
    bob.receive(alice.send())
    alice.sendMany(3)
    alice.receive(bob.send())
    const [, , third, fourth] = alice.sendMany(4) as [Message, Message, Message, Message]
    seen.length = 0
    const state = receive(bob, third)
    expect(seen.length).toBeGreaterThan(10)
    expect(leftBehind(bob.state, state)).toBe(0)
    expect(leftBehind(bob.state)).toBeGreaterThan(0)
    bob.state = state
    seen.length = 0
    expect(leftBehind(bob.state, receive(bob, fourth))).toBe(0)
  })

  test('by the answer to a KEM key', () => {
    const { alice, bob } = ends()
    bob.receive(alice.send())
    const reply = bob.send()
    seen.length = 0
    expect(leftBehind(alice.state, receive(alice, reply))).toBe(0)
  })

  test('by a KEM key that is looked at', () => {
    const { alice, bob } = ends()
    const message = alice.send()
    seen.length = 0
    expect(leftBehind(bob.state, receive(bob, message))).toBe(0)
  })
})

test('what the given state holds is never wiped, though its message opens or is refused', () => {
  const { alice, bob } = talking()
  const messages = alice.sendMany(6)
  const step = (index: number): void => {
    const before = ratchetState.encode(bob.state)
    const message = messages[index] ?? expect.fail('sent')
    expect(() => receive(bob, message, openWith(message.header))).toThrow()
    const after = receive(bob, message)
    expect(ratchetState.encode(bob.state)).toEqual(before)
    bob.state = after
  }
  // Opens a chain, skips, takes a kept key, goes on.
  for (const index of [2, 4, 0, 5]) step(index)
  expect(bob.skipped).toBe(2)
})
