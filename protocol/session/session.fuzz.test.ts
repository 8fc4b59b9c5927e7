import { array, assert, constantFrom, integer, nat, property, record, type Arbitrary } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyOracle } from '../crypto/key-oracle.fixture.ts'
import { noble } from '../crypto/noble-provider.ts'
import { testTime } from '../identity/account.fixture.ts'
import { concatBytes, decodeUtf8, encodeUtf8, equalBytes, toHex } from '../wire/bytes.ts'
import { hostileInputs } from '../wire/fuzz.fixture.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { introduced, people, respond, type People } from './people.fixture.ts'
import { decodeSession, decryptMessage, encodeSession, encryptMessage, type Session } from './session.ts'

const now = testTime

type Name = 'alice' | 'bob'

/** What the network does with the messages under way. */
type Step =
  | { readonly do: 'send'; readonly by: Name; readonly count: number }
  | { readonly do: 'deliver' | 'repeat' | 'damage'; readonly pick: number }
  | { readonly do: 'crash'; readonly by: Name }

const name = constantFrom<Name>('alice', 'bob')
const step: Arbitrary<Step> = constantFrom('send', 'deliver', 'deliver', 'repeat', 'damage', 'crash').chain(
  (what): Arbitrary<Step> => {
    if (what === 'send') return record({ do: constantFrom(what), by: name, count: integer({ min: 1, max: 4 }) })
    if (what === 'crash') return record({ do: constantFrom(what), by: name })
    return record({ do: constantFrom(what as 'deliver' | 'repeat' | 'damage'), pick: nat() })
  },
)

interface Underway {
  readonly to: Name
  readonly text: string
  readonly envelope: Uint8Array
}

/** Two people whose sessions live in a store, as bytes, and a network that loses, repeats, reorders and damages. */
class World {
  readonly crypto = keyOracle(noble)
  private readonly random
  private readonly store: Record<Name, Uint8Array>
  private readonly underway: Underway[] = []
  private readonly delivered: Underway[] = []
  private messages = 0

  constructor(seed: number) {
    const who: People = people(1, this.crypto)
    this.random = seededRandom(seed)
    const { alice, bob } = introduced({ ...who, random: this.random })
    this.store = { alice: encodeSession(alice), bob: encodeSession(bob) }
  }

  private session(who: Name): Session {
    return decodeSession(this.store[who])
  }

  private send(by: Name): Underway {
    const text = `${by} ${this.messages++}`
    const { crypto, random } = this
    const { session, envelope } = encryptMessage(this.session(by), encodeUtf8(text), { now, random, crypto })
    this.store[by] = encodeSession(session)
    return { to: by === 'alice' ? 'bob' : 'alice', text, envelope }
  }

  private open({ to }: Underway, envelope: Uint8Array): string {
    const given = this.session(to)
    const before = this.store[to]
    try {
      const { session, plaintext } = decryptMessage(given, envelope, { now, crypto: this.crypto })
      this.store[to] = encodeSession(session)
      return decodeUtf8(plaintext)
    } finally {
      // Neither success nor failure changes the value that was given.
      if (!equalBytes(encodeSession(given), before)) expect.fail('the given session was changed')
    }
  }

  private deliver(at: number): void {
    const [message] = this.underway.splice(at, 1)
    if (message === undefined) return
    expect(this.open(message, message.envelope)).toBe(message.text)
    this.delivered.push(message)
  }

  run(what: Step): void {
    switch (what.do) {
      case 'send':
        for (let i = 0; i < what.count; i++) this.underway.push(this.send(what.by))
        break
      case 'crash':
        // Sealed, but neither the session nor the envelope was stored.
        encryptMessage(this.session(what.by), encodeUtf8('lost'), { now, random: this.random, crypto: this.crypto })
        break
      case 'deliver':
        if (this.underway.length > 0) this.deliver(what.pick % this.underway.length)
        break
      case 'repeat': {
        const message = this.delivered[what.pick % this.delivered.length]
        if (message === undefined) break
        expect(['duplicate', 'foreign']).toContain(refusal(() => this.open(message, message.envelope)))
        break
      }
      case 'damage': {
        const message = this.underway[what.pick % this.underway.length]
        if (message === undefined) break
        const at = what.pick % message.envelope.length
        const damaged = message.envelope.with(at, (message.envelope[at] ?? 0) ^ (1 << (what.pick % 8)))
        expect(refusal(() => this.open(message, damaged))).not.toBe('accepted')
        break
      }
    }
  }

  /** Whatever is still under way arrives in the end, newest first. */
  settle(): void {
    while (this.underway.length > 0) this.deliver(this.underway.length - 1)
  }
}

describe('two people over a hostile network', () => {
  test(
    'every message opens once, in any order, with loss, repeats, damage and crashes; no key is used twice',
    { timeout: 60_000 },
    () => {
      assert(
        property(nat(), array(step, { minLength: 20, maxLength: 80, size: 'max' }), (seed, steps) => {
          const world = new World(seed)
          for (const each of steps) world.run(each)
          world.settle()
          expect(world.crypto.sealed.size).toBeGreaterThan(0)
        }),
        { numRuns: 40 },
      )
    },
  )

  test('messages that waited while thirty chains passed still open', () => {
    const world = new World(1)
    for (let i = 0; i < 30; i++) {
      world.run({ do: 'send', by: i % 2 === 0 ? 'alice' : 'bob', count: 2 })
      world.run({ do: 'deliver', pick: Number.MAX_SAFE_INTEGER })
    }
    world.settle()
  })
})

describe('hostile envelopes', () => {
  const who = people(50)
  const { alice, bob, first } = introduced(who)
  const reply = encryptMessage(bob, encodeUtf8('reply'), { now, random: who.random })
  const before = encodeSession(alice)

  test('one flipped bit anywhere in a session envelope', () => {
    reply.envelope.forEach((byte, at) => {
      const damaged = reply.envelope.with(at, byte ^ (1 << (at % 8)))
      expect(
        refusal(() => decryptMessage(alice, damaged, { now })),
        `byte ${at}`,
      ).not.toBe('accepted')
    })
    expect(encodeSession(alice)).toEqual(before)
    expect(refusal(() => decryptMessage(alice, reply.envelope, { now }))).toBe('accepted')
  })

  test(
    'one flipped bit in a prekey envelope, for a session that has it and for a handshake',
    { timeout: 30_000 },
    () => {
      const repeat = encryptMessage(alice, encodeUtf8('again'), { now, random: who.random }).envelope
      repeat.forEach((byte, at) => {
        const damaged = repeat.with(at, byte ^ (1 << (at % 8)))
        expect(
          refusal(() => decryptMessage(bob, damaged, { now })),
          `byte ${at}`,
        ).not.toBe('accepted')
      })
      for (let at = 0; at < first.length; at += 7) {
        const damaged = first.with(at, (first[at] ?? 0) ^ (1 << (at % 8)))
        expect(
          refusal(() => respond(who, damaged)),
          `byte ${at}`,
        ).not.toBe('accepted')
      }
      expect(refusal(() => respond(who, first))).toBe('accepted')
    },
  )

  test('cut anywhere, or with something after the end', () => {
    for (let length = 0; length < reply.envelope.length; length++) {
      expect(refusal(() => decryptMessage(alice, reply.envelope.subarray(0, length), { now }))).not.toBe('accepted')
    }
    const longer = concatBytes(reply.envelope, Uint8Array.of(0))
    expect(refusal(() => decryptMessage(alice, longer, { now }))).toBe('authentication')
  })

  test('ten thousand mutations: typed errors, or the very same envelope', () => {
    const codes = new Set<string>()
    for (const input of hostileInputs([reply.envelope, first], 10_000, 5)) {
      const code = refusal(() => decryptMessage(alice, input, { now }))
      codes.add(code)
      if (code === 'accepted' && toHex(input) !== toHex(reply.envelope)) expect.fail('a forged envelope opened')
    }
    expect(encodeSession(alice)).toEqual(before)
    expect(codes).toContain('authentication')
    expect(codes).toContain('foreign')
    expect(codes).toContain('malformed')
  })

  test('ten thousand mutations of session records decode to typed errors or to a record of the same bytes', () => {
    const samples = [encodeSession(alice), encodeSession(bob), encodeSession(reply.session)]
    for (const input of hostileInputs(samples, 10_000, 6)) {
      let decoded: Session | undefined
      refusal(() => {
        decoded = decodeSession(input)
      })
      if (decoded !== undefined && toHex(encodeSession(decoded)) !== toHex(input))
        expect.fail('two encodings of one record')
    }
  })
})
