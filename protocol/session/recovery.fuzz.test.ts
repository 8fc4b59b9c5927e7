import { array, assert, boolean, constantFrom, nat, property, record, type Arbitrary } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyOracle } from '../crypto/key-oracle.fixture.ts'
import { nodeProvider } from '../crypto/node-provider.fixture.ts'
import { testAccount, testTime } from '../identity/account.fixture.ts'
import { seededPick } from '../wire/fuzz.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { runs } from '../wire/seed.fixture.ts'
import { Participant } from './participant.fixture.ts'

type Name = 'alice' | 'bob'

type Step =
  | { readonly do: 'send' | 'back up'; readonly by: Name }
  | { readonly do: 'restore'; readonly by: Name; readonly pick: number }
  | { readonly do: 'deliver' | 'lose' | 'repeat'; readonly pick: number }
  | { readonly do: 'second' }

const by = constantFrom<Name>('alice', 'bob')
const pick = nat({ max: 1_000 })
const step: Arbitrary<Step> = constantFrom(
  ...(['send', 'send', 'send', 'deliver', 'deliver', 'deliver', 'lose', 'repeat'] as const),
  ...(['back up', 'back up', 'restore', 'second'] as const),
).chain((what): Arbitrary<Step> => {
  if (what === 'send' || what === 'back up') return record({ do: constantFrom(what), by })
  if (what === 'restore') return record({ do: constantFrom(what), by, pick })
  if (what === 'second') return record({ do: constantFrom(what) })
  return record({ do: constantFrom(what), pick })
})

interface Underway {
  readonly to: Name
  readonly envelope: Uint8Array
}

const other = (name: Name): Name => (name === 'alice' ? 'bob' : 'alice')

/** Two participants and the network between them. */
class Town {
  readonly crypto = keyOracle(nodeProvider)
  private readonly people: Record<Name, Participant>
  private readonly knows: boolean
  private readonly pick
  private underway: Underway[] = []
  private readonly passed: Underway[] = []
  private nowMs = testTime
  private texts = 0

  /** `knows`: whether a device is aware that an old state was put back. */
  constructor(seed: number, knows: boolean) {
    this.knows = knows
    this.pick = seededPick(seed)
    const tools = { random: seededRandom(seed), crypto: this.crypto, clock: () => this.nowMs }
    this.people = { alice: new Participant(testAccount(1), tools), bob: new Participant(testAccount(2), tools) }
  }

  send(from: Name): string {
    const text = `${from} ${this.texts++}`
    const to = other(from)
    for (const envelope of this.people[from].send(text, this.people[to])) this.underway.push({ to, envelope })
    return text
  }

  private take(at: number): Underway | undefined {
    const [message] = this.underway.splice(at % Math.max(1, this.underway.length), 1)
    if (message !== undefined) this.passed.push(message)
    return message
  }

  private deliver(at: number): void {
    const message = this.take(at)
    if (message !== undefined) this.people[message.to].receive(message.envelope)
  }

  run(what: Step): void {
    switch (what.do) {
      case 'send':
        this.send(what.by)
        break
      case 'back up':
        this.people[what.by].backUp()
        break
      case 'restore':
        this.people[what.by].restore(what.pick, this.knows)
        break
      case 'deliver':
        this.deliver(what.pick)
        break
      case 'lose':
        this.take(what.pick)
        break
      case 'repeat': {
        const message = this.passed[what.pick % Math.max(1, this.passed.length)]
        if (message !== undefined) this.underway.push(message)
        break
      }
      case 'second':
        this.nowMs += 1_000
    }
  }

  /** Everything arrives, in any order and some of it twice, and whoever owes something sends it, until nothing moves. */
  settle(): void {
    // Each round one side may have to start anew above a generation it did not know of.
    for (let round = 0; round < 60; round++) {
      while (this.underway.length > 0) {
        if (this.pick(4) === 0) this.underway.push(...this.underway.slice(0, 1))
        this.deliver(this.pick(1_000))
      }
      const owing = (['alice', 'bob'] as const).filter((name) => this.people[name].isOwing)
      if (owing.length === 0) return
      for (const name of owing) this.send(name)
    }
    expect.fail('they never come to rest')
  }

  /** Some messages each, mixed with deliveries. */
  talk(): { readonly to: Name; readonly text: string }[] {
    return Array.from({ length: 10 }, () => {
      const from = this.pick(2) === 0 ? 'alice' : 'bob'
      const text = this.send(from)
      for (let i = this.pick(4); i > 0; i--) this.deliver(this.pick(1_000))
      return { to: other(from), text }
    })
  }

  /** How often each text arrived. */
  arrivals(sent: readonly { readonly to: Name; readonly text: string }[]): number[] {
    return sent.map(({ to, text }) => this.people[to].inbox.filter((received) => received === text).length)
  }

  get preferred(): string[] {
    return [this.people.alice.preferred, this.people.bob.preferred]
  }
}

const steps = array(step, { minLength: 10, maxLength: 80, size: 'max' })

const agree = (town: Town): void => {
  const last = town.talk()
  town.settle()
  expect(town.arrivals(last)).toEqual(last.map(() => 1))
  const [alices, bobs] = town.preferred
  expect(alices).toBe(bobs)
  expect(town.crypto.repeats()).toBe(0)
}

describe('two people who lose messages and put back old states', () => {
  test(
    'knowing of it: whatever is sent after the last disturbance arrives once, on one session in the end',
    { timeout: 180_000 },
    () => {
      assert(
        property(nat(), steps, (seed, disturbances) => {
          const town = new Town(seed, true)
          for (const each of disturbances) town.run(each)
          agree(town)
        }),
        runs(12),
      )
    },
  )

  test('not knowing of it: the same, once each has heard from the other', { timeout: 180_000 }, () => {
    assert(
      property(nat(), steps, boolean(), (seed, disturbances, aliceFirst) => {
        const town = new Town(seed, false)
        for (const each of disturbances) town.run(each)
        for (const name of aliceFirst ? (['alice', 'bob'] as const) : (['bob', 'alice'] as const)) {
          town.send(name)
          town.settle()
        }
        agree(town)
      }),
      runs(12),
    )
  })
})
