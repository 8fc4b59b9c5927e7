import { array, assert, constantFrom, integer, nat, property, record, type Arbitrary } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeProvider as crypto } from '../crypto/node-provider.fixture.ts'
import { testTime } from '../identity/account.fixture.ts'
import { dayMs } from '../wire/limits.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { runs } from '../wire/seed.fixture.ts'
import { introduced, people } from './people.fixture.ts'
import { decodeSession, decryptMessage, encodeSession, encryptMessage, type Session } from './session.ts'
import { Thief, type LaterChain, type Seen } from './thief.fixture.ts'

type Name = 'alice' | 'bob'

type Step =
  | { readonly do: 'send'; readonly by: Name; readonly count: number }
  | { readonly do: 'deliver'; readonly pick: number }
  | { readonly do: 'day' }

const step: Arbitrary<Step> = constantFrom(
  ...(['send', 'send', 'deliver', 'deliver', 'deliver', 'day'] as const),
).chain((what): Arbitrary<Step> => {
  if (what === 'send')
    return record({ do: constantFrom(what), by: constantFrom('alice', 'bob'), count: integer({ min: 1, max: 3 }) })
  return what === 'day'
    ? record({ do: constantFrom(what) })
    : record({ do: constantFrom(what), pick: nat({ max: 1_000 }) })
})

/** 20 days: skipped keys expire after 30. */
const mostDays = 20

interface Message extends Seen {
  readonly to: Name
}

/** A conversation, and what a thief who copied one side's session at one moment would have to work with. */
class Conversation {
  private readonly sessions: Record<Name, Session>
  private readonly random
  private readonly victim: Name
  private readonly underway: Message[] = []
  private now = testTime
  private days = 0
  /** Chains opened by both; Alice's first is number 0. */
  private chain = 0
  /** The number of each side's newest chain. */
  private readonly chainOf: Record<Name, number> = { alice: 0, bob: 0 }
  private stolen: Uint8Array | undefined
  private gone: ReadonlySet<Message> = new Set()
  /** The first chain whose root key the thief must not have, without and with the X25519 secrets given away. */
  healedFrom = { passive: Infinity, quantum: Infinity }
  private lateOffer = false
  readonly later: LaterChain[] = []
  readonly seen: Message[] = []

  constructor(seed: number, victim: Name) {
    const who = people(90, crypto)
    this.random = seededRandom(seed)
    this.victim = victim
    const { alice, bob } = introduced({ ...who, random: this.random })
    this.sessions = { alice, bob }
  }

  private get tools() {
    return { now: this.now, random: this.random, crypto }
  }

  /** What the opening of this chain means for the thief. */
  private opened(by: Name, { own, sending }: Session['ratchet']): void {
    this.chainOf[by] = ++this.chain
    if (this.stolen === undefined) return
    const isVictim = by === this.victim
    const offersKem = own?.kemSeed !== undefined
    const answers = sending?.kemCiphertext !== undefined
    if (isVictim) this.healedFrom.passive = Math.min(this.healedFrom.passive, this.chain)
    // The victim's encapsulation is fresh; the peer's helps if the key it answers was made after the theft.
    if (answers && (isVictim || this.lateOffer)) this.healedFrom.quantum = Math.min(this.healedFrom.quantum, this.chain)
    if (!isVictim) return
    this.lateOffer = offersKem
    const { kemKey, kemCiphertext } = sending ?? {}
    this.later.push({
      ...(own && { secret: own.secret.slice() }),
      ...(kemKey && { kemKey }),
      ...(kemCiphertext && { kemCiphertext }),
    })
  }

  private send(by: Name): void {
    const given = this.sessions[by]
    const { session, envelope } = encryptMessage(given, new Uint8Array(1), this.tools)
    if (given.ratchet.sending === undefined) this.opened(by, session.ratchet)
    this.sessions[by] = session
    const to = by === 'alice' ? 'bob' : 'alice'
    const message: Message = { by: by === this.victim ? 'victim' : 'peer', to, chain: this.chainOf[by], envelope }
    this.underway.push(message)
    this.seen.push(message)
  }

  run(what: Step): void {
    if (what.do === 'day') this.now += this.days++ < mostDays ? dayMs : 0
    else if (what.do === 'send') for (let i = 0; i < what.count; i++) this.send(what.by)
    else {
      const [message] = this.underway.splice(what.pick % Math.max(1, this.underway.length), 1)
      if (message === undefined) return
      this.sessions[message.to] = decryptMessage(this.sessions[message.to], message.envelope, this.tools).session
    }
  }

  steal(): void {
    this.stolen = encodeSession(this.sessions[this.victim])
    // Whatever the victim sent or has received is over: its keys are gone.
    this.gone = new Set(this.seen.filter((message) => message.by === 'victim' || !this.underway.includes(message)))
  }

  /** What a thief reads, and what it ought to at most. */
  outcome(kind: 'passive' | 'quantum'): { read: ReadonlySet<Seen>; readable: ReadonlySet<Seen>; healed: number } {
    if (this.stolen === undefined) expect.fail('nothing was stolen')
    const thief = new Thief(decodeSession(this.stolen), this.now, crypto)
    thief.run(this.seen, kind === 'passive' ? this.later.map(({ secret: _, ...chain }) => chain) : this.later)
    const healed = this.healedFrom[kind]
    return {
      read: thief.read,
      healed: this.seen.filter(({ chain }) => chain >= healed).length,
      readable: new Set(this.seen.filter((message) => !this.gone.has(message) && message.chain < healed)),
    }
  }
}

const steps = (min: number) => array(step, { minLength: min, maxLength: 60, size: 'max' })

const missingFrom = (all: ReadonlySet<Seen>, some: ReadonlySet<Seen>): number =>
  [...some].filter((message) => !all.has(message)).length

const robbed = (kind: 'passive' | 'quantum', numRuns: number): void => {
  // Over all runs, so that no test passes on nothing: what was read, and what was sent once healed.
  const tally = { read: 0, healed: 0 }
  assert(
    property(nat(), constantFrom<Name>('alice', 'bob'), steps(5), steps(20), (seed, victim, before, after) => {
      const conversation = new Conversation(seed, victim)
      for (const each of before) conversation.run(each)
      conversation.steal()
      for (const each of after) conversation.run(each)
      const { read, readable, healed } = conversation.outcome(kind)
      // Not one more, and, as a sign that this thief is no fool, not one less.
      expect([missingFrom(readable, read), missingFrom(read, readable)]).toEqual([0, 0])
      tally.read += read.size
      tally.healed += healed
    }),
    runs(numRuns),
  )
  expect(tally.read).toBeGreaterThan(0)
  expect(tally.healed).toBeGreaterThan(0)
}

describe('a thief of the whole session, who then only listens', () => {
  test(
    'reads nothing received or sent before, and nothing after a fresh chain of the victim',
    { timeout: 120_000 },
    () => {
      robbed('passive', 30)
    },
  )

  test('with every later X25519 secret of the victim: reads nothing after a KEM step', { timeout: 120_000 }, () => {
    robbed('quantum', 30)
  })
})
