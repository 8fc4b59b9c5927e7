import { array, assert, boolean, constantFrom, integer, nat, property, record } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeProvider as crypto } from '../crypto/node-provider.fixture.ts'
import { testTime as now } from '../identity/account.fixture.ts'
import { decodeUtf8, encodeUtf8, equalBytes } from '../wire/bytes.ts'
import { seededPick, type Pick } from '../wire/fuzz.fixture.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { runs } from '../wire/seed.fixture.ts'
import { introduced, people } from './people.fixture.ts'
import { decryptMessage, encodeSession, encryptMessage, type Session } from './session.ts'

type Name = 'alice' | 'bob'

interface Sent {
  readonly to: Name
  readonly text: string
  /** Which of its sender's chains it is in. */
  readonly chain: number
  readonly envelope: Uint8Array
}

/** A repeat of a message whose chain is one of the receiver's five newest is known for what it is (`spec/ratchet.md`). */
const rememberedChains = 5

const shuffle = <T>(values: readonly T[], pick: Pick): T[] => {
  const out = [...values]
  for (let i = out.length - 1; i > 0; i--) {
    const at = pick(i + 1)
    const [a, b] = [out[i] as T, out[at] as T]
    out[i] = b
    out[at] = a
  }
  return out
}

/** Two people, and everything that was ever sent between them. */
class Pair {
  private readonly sessions: Record<Name, Session>
  private readonly random
  private readonly pick: Pick
  private readonly chains: Record<Name, number> = { alice: 0, bob: 0 }
  private readonly newest: Record<Name, number> = { alice: 0, bob: 0 }
  private readonly opened = new Set<Sent>()
  readonly waiting: Sent[] = []

  constructor(seed: number) {
    const who = people(60, crypto)
    this.pick = seededPick(seed)
    this.random = who.random
    this.sessions = introduced(who)
  }

  send(by: Name, count: number): void {
    for (let i = 0; i < count; i++) {
      const given = this.sessions[by]
      if (given.ratchet.sending === undefined) this.chains[by]++
      const text = `${by} ${i}`
      const { random } = this
      const { session, envelope } = encryptMessage(given, encodeUtf8(text), { now, random, crypto })
      this.sessions[by] = session
      this.waiting.push({ to: by === 'alice' ? 'bob' : 'alice', text, chain: this.chains[by], envelope })
    }
  }

  private open({ to, envelope }: Sent): string {
    const { session, plaintext } = decryptMessage(this.sessions[to], envelope, { now, crypto })
    this.sessions[to] = session
    return decodeUtf8(plaintext)
  }

  /** Opens it for the first time, or sees that it is known. */
  arrive(message: Sent): void {
    const { to, text, chain } = message
    if (!this.opened.has(message)) {
      expect(this.open(message)).toBe(text)
      this.opened.add(message)
      this.newest[to] = Math.max(this.newest[to], chain)
      return
    }
    const before = encodeSession(this.sessions[to])
    const code = refusal(() => this.open(message))
    if (this.newest[to] - chain < rememberedChains) expect(code).toBe('duplicate')
    else expect(['duplicate', 'foreign']).toContain(code)
    expect(equalBytes(encodeSession(this.sessions[to]), before)).toBe(true)
  }

  /** The code with which a copy is refused; nothing changes. */
  refuses({ to, envelope }: Sent): string {
    const before = encodeSession(this.sessions[to])
    const code = refusal(() => decryptMessage(this.sessions[to], envelope, { now, crypto }))
    expect(equalBytes(encodeSession(this.sessions[to]), before)).toBe(true)
    return code
  }

  /** A share of what waits for both arrives, in any order, some of it twice; a share of it is lost. */
  network(deliveredPercent: number, lostPercent: number, repeatedPercent: number): void {
    const kept: Sent[] = []
    for (const message of shuffle(this.waiting.splice(0), this.pick)) {
      if (this.pick(100) < lostPercent) continue
      if (this.pick(100) >= deliveredPercent) {
        kept.push(message)
        continue
      }
      this.arrive(message)
      if (this.pick(100) < repeatedPercent) kept.push(message)
    }
    this.waiting.push(...kept)
  }

  get openedCount(): number {
    return this.opened.size
  }
}

const round = record({
  by: constantFrom<Name>('alice', 'bob'),
  count: integer({ min: 1, max: 40 }),
  delivered: integer({ min: 0, max: 100 }),
  lost: constantFrom(0, 0, 5, 30),
  repeated: constantFrom(0, 10, 100),
})

describe('order, loss and repeats', () => {
  test('across chains: whatever arrives opens exactly once', { timeout: 120_000 }, () => {
    assert(
      property(nat(), array(round, { minLength: 1, maxLength: 25, size: 'max' }), (seed, rounds) => {
        const pair = new Pair(seed)
        for (const { by, count, delivered, lost, repeated } of rounds) {
          pair.send(by, count)
          pair.network(delivered, lost, repeated)
        }
        pair.network(100, 0, 50)
        pair.network(100, 0, 0)
        expect(pair.waiting).toEqual([])
      }),
      runs(15),
    )
  })

  test('over a thousand skipped at once is too much, and changes nothing', { timeout: 120_000 }, () => {
    assert(
      property(nat(), integer({ min: 1, max: 20 }), (seed, over) => {
        const pair = new Pair(seed)
        pair.send('bob', 1_000 + over)
        const [first, last] = [pair.waiting.at(0), pair.waiting.at(-1)]
        // Before the last there are 999 + over others.
        expect(pair.refuses(last ?? expect.fail('there is one'))).toBe(over > 1 ? 'limit' : 'accepted')
        pair.arrive(first ?? expect.fail('there is one'))
      }),
      runs(3),
    )
  })

  test('a thousand messages of one chain, in any order, each then once more', { timeout: 120_000 }, () => {
    assert(
      property(nat(), boolean(), (seed, newestFirst) => {
        const pair = new Pair(seed)
        pair.send('bob', 1_000)
        // The newest first makes all others skipped ones at once.
        if (newestFirst) pair.arrive(pair.waiting.at(-1) ?? expect.fail('there is one'))
        else pair.network(100, 0, 100)
        pair.network(100, 0, 0)
        expect(pair.openedCount).toBe(1_000)
      }),
      runs(2),
    )
  })
})
