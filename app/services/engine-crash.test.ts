import { afterEach, describe, expect, it } from 'vitest'
import { decodeEnvelope, envelopeId } from '../../protocol/envelope/envelope.ts'
import { toHex } from '../../protocol/wire/bytes.ts'
import type { ClientStore } from '../store/client-store.ts'
import { StoreError } from '../store/store-error.ts'
import { recordingProvider, type SealedMessage } from './engine-race.fixture.ts'
import { meet, Person } from './person.fixture.ts'
import { seeded, TestWorld } from './test-network.fixture.ts'

/** Fails one writing step, once: before anything of it is on disk, or when all of it is and nobody has been told. */
interface Trap {
  left: number
  moment: 'before' | 'after'
  sprung: () => void
}

const trapped = (store: ClientStore, trap: () => Trap | undefined): ClientStore => ({
  read: (step) => store.read(step),
  write: async (step) => {
    const armed = trap()
    if (!armed || --armed.left !== 0) return store.write(step)
    const crash = (): never => {
      store.close()
      armed.sprung()
      throw new StoreError('closed', 'the browser was killed here')
    }
    if (armed.moment === 'before') {
      return store
        .write(async (tx) => {
          await step(tx)
          throw new StoreError('aborted', 'killed before the commit')
        })
        .catch(crash)
    }
    await store.write(step)
    return crash()
  },
  close: () => store.close(),
  destroy: () => store.destroy(),
})

const soon = { timeout: 40_000, interval: 30 }
const people: Person[] = []
afterEach(async () => {
  for (const one of people.splice(0)) await one.end()
})

/** A person whose browser is killed in the middle of things, and who opens it again. */
class Unlucky {
  readonly person: Person
  readonly sealed: SealedMessage[]
  crashes = 0
  #trap: Trap | undefined
  #reopening: Promise<void> = Promise.resolve()

  constructor(world: TestWorld, name: string) {
    const { provider, sealed } = recordingProvider()
    this.sealed = sealed
    this.person = new Person({ world, name, crypto: provider, wrap: (store) => trapped(store, () => this.#trap) })
    people.push(this.person)
  }

  arm(left: number, moment: 'before' | 'after'): void {
    this.#trap = {
      left,
      moment,
      sprung: () => {
        this.crashes++
        this.#trap = undefined
        // It may be killed again while it starts: that start has failed then, and another one follows.
        const ended = this.#reopening.catch(() => undefined)
        this.#reopening = ended.then(() => this.person.close()).then(() => this.person.open())
      },
    }
  }

  disarm(): void {
    this.#trap = undefined
  }

  /** Sends as a person would: if it is not on their screen after the restart, they write it again. */
  async send(id: string, text: string): Promise<void> {
    for (;;) {
      await this.settled()
      const outcome = await this.person.engine.send(id, text).catch(() => undefined)
      if (outcome?.ok) return
      await this.settled()
      if ((await this.person.texts(id)).includes(text)) return
    }
  }

  /** Open again, however often it was killed meanwhile. @throws what the last start failed with. */
  async settled(): Promise<void> {
    for (let last: Promise<void> | undefined; last !== this.#reopening;) {
      last = this.#reopening
      const failure = await last.then(
        () => undefined,
        (cause: unknown) => ({ cause }),
      )
      if (failure && last === this.#reopening) throw failure.cause
    }
  }
}

/** Message keys that stand behind more than one envelope that left a device. What was never stored never left, and counts for nothing. */
const reused = (world: TestWorld, both: readonly Unlucky[]): string[] => {
  const keyOf = new Map(both.flatMap(({ sealed }) => sealed.map((one) => [one.ciphertext, one.messageKey] as const)))
  const envelopes = new Map(world.seen.map(({ envelope }) => [toHex(envelopeId(envelope)), envelope]))
  const used = new Map<string, number>()
  for (const envelope of envelopes.values()) {
    const key = keyOf.get(toHex(decodeEnvelope(envelope).ciphertext)) ?? 'unknown'
    used.set(key, (used.get(key) ?? 0) + 1)
  }
  return [...used].filter(([key, times]) => times > 1 || key === 'unknown').map(([key]) => key)
}

describe('engines that are killed between any two steps', () => {
  it.each([1, 2, 3, 4])(
    'lose nothing, show nothing twice and use no key twice (seed %i)',
    async (seed) => {
      const world = new TestWorld(seed)
      world.faults = { loseAnswer: 0.1, duplicate: 0.1, delayMs: 5 }
      const chance = seeded(seed * 7919)
      const [alice, bob] = [new Unlucky(world, 'Alice'), new Unlucky(world, 'Bob')]
      const id = await meet(alice.person, bob.person)
      const talk = async (who: Unlucky, prefix: string): Promise<void> => {
        for (let i = 0; i < 40; i++) {
          // About every third message something goes wrong within the next few steps, here or at the other end.
          if (chance() < 0.3) who.arm(1 + Math.floor(chance() * 6), chance() < 0.5 ? 'before' : 'after')
          await who.send(id, `${prefix}${i}`)
        }
        who.disarm()
        await who.settled()
      }
      await Promise.all([talk(bob, 'b'), talk(alice, 'a')])
      expect(alice.crashes + bob.crashes).toBeGreaterThan(8)
      const count = async (who: Unlucky): Promise<number> => (await who.person.messages(id)).length
      await expect.poll(() => Promise.all([count(alice), count(bob)]), soon).toEqual([80, 80])
      const open = async (who: Unlucky): Promise<number> =>
        (await who.person.messages(id)).filter((m) => m.mine && m.status !== 'delivered').length
      await expect.poll(() => Promise.all([open(alice), open(bob)]), soon).toEqual([0, 0])
      expect(reused(world, [alice, bob])).toEqual([])
      for (const who of [alice, bob]) {
        const texts = await who.person.texts(id)
        for (const prefix of ['a', 'b']) {
          const own = texts.filter((text) => text?.startsWith(prefix))
          expect(own).toEqual(Array.from({ length: 40 }, (_, i) => `${prefix}${i}`))
        }
      }
    },
    120_000,
  )

  it.each(['before', 'after'] as const)(
    'finish onboarding, invite and first contact after a crash %s each step',
    async (moment) => {
      for (let left = 1; left <= 9; left++) {
        const world = new TestWorld(left)
        const [alice, bob] = [new Unlucky(world, 'Alice'), new Unlucky(world, 'Bob')]
        alice.arm(left, moment)
        bob.arm(left, moment)
        const again = async <T>(who: Unlucky, act: () => Promise<T>): Promise<T> => {
          for (;;) {
            await who.settled()
            try {
              return await act()
            } catch {
              await who.settled()
            }
          }
        }
        const onboard = (who: Unlucky) =>
          again(who, async () => {
            if (who.crashes === 0) await who.person.onboard()
            else if (who.person.accountId === undefined) {
              const outcome = await who.person.engine.createAccount(who.person.options.name, [world.address])
              if (!outcome.ok) throw new Error(outcome.problem.message)
              who.person.accountId = outcome.value.accountId
            }
          })
        await Promise.all([onboard(alice), onboard(bob)])
        const invite = await again(alice, () => alice.person.invite())
        const id = await again(bob, () => bob.person.accept(invite))
        await bob.send(id, 'made it')
        await expect.poll(() => alice.person.texts(id).catch(() => []), soon).toEqual(['made it'])
        await expect.poll(async () => (await bob.person.messages(id))[0]?.status, soon).toBe('delivered')
        alice.disarm()
        bob.disarm()
        await Promise.all([alice.settled(), bob.settled()])
        for (const one of people.splice(0)) await one.end()
      }
    },
    180_000,
  )
})
