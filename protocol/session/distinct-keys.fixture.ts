import { noble } from '../crypto/noble-provider.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import { testTime } from '../identity/account.fixture.ts'
import { encodeUtf8, toHex } from '../wire/bytes.ts'
import { initiate, people, respond } from './people.fixture.ts'
import { decryptMessage, encryptMessage } from './session.ts'

/** What a provider derived or agreed on, in hexadecimal, with how often each came. */
interface Keys {
  readonly crypto: CryptoProvider
  readonly seen: Map<string, number>
}

const collecting = (): Keys => {
  const seen = new Map<string, number>()
  const keep = (key: Uint8Array): Uint8Array => {
    const name = toHex(key)
    seen.set(name, (seen.get(name) ?? 0) + 1)
    return key
  }
  const crypto: CryptoProvider = {
    ...noble,
    mlkem768Encapsulate: (key, randomness) => {
      const encapsulation = noble.mlkem768Encapsulate(key, randomness)
      // The check of a received KEM key encapsulates with no randomness and drops the secret.
      if (randomness.some((byte) => byte !== 0)) keep(encapsulation.sharedSecret)
      return encapsulation
    },
    hkdfSha256: (ikm, salt, info, length) => {
      const okm = noble.hkdfSha256(ikm, salt, info, length)
      for (let at = 0; at < okm.length; at += 32) keep(okm.slice(at, at + 32))
      return okm
    },
    hmacSha256Pair: (key, first, second) => {
      const [a, b] = noble.hmacSha256Pair(key, first, second)
      keep(a)
      keep(b)
      return [a, b]
    },
  }
  return { crypto, seen }
}

/** Keys of one side of a session from handshake to the answered KEM step: K_id, SK, 6 of SK, two root steps, three chain steps. */
export const keysPerSession = 2 + 6 + 2 * 3 + 3 * 2 + 2

/**
 * `count` sessions with one bundle, each with a first message, its repeat of the handshake, and the reply that makes a KEM
 * step. Every key both sides derive comes exactly twice, once on each side; returns how many different ones there were.
 * @throws Error when a key came more often.
 */
export const countDistinctKeys = (count: number): number => {
  const { crypto, seen } = collecting()
  const who = people(6, crypto)
  const tools = { now: testTime, random: who.random, crypto }
  for (let i = 0; i < count; i++) {
    const one = encryptMessage(initiate(who), encodeUtf8('one'), tools)
    const two = encryptMessage(one.session, encodeUtf8('two'), tools)
    const opened = decryptMessage(respond(who, one.envelope).session, two.envelope, tools)
    const reply = encryptMessage(opened.session, encodeUtf8('three'), tools)
    decryptMessage(two.session, reply.envelope, tools)
  }
  for (const [, times] of seen) if (times > 2) throw new Error(`a key came ${times} times`)
  return seen.size
}
