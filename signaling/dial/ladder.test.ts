import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { climb, initialLadder, type LadderEvent, type LadderState, type Rung } from './ladder.ts'

/** Climbs through events at time 0; the rungs of the last one. */
const after = (...events: LadderEvent[]): { state: LadderState; rungs: readonly Rung[] } =>
  events.reduce<{ state: LadderState; rungs: readonly Rung[] }>(({ state }, event) => climb(state, event, 0), {
    state: initialLadder,
    rungs: [],
  })

const allowed: LadderEvent = { kind: 'route', mayDial: true }
const send = (id: number): LadderEvent => ({ kind: 'send', id })

describe('one envelope', () => {
  test('without a link it is deposited at once while a link is tried', () => {
    expect(after(allowed, send(1)).rungs).toEqual([{ kind: 'deposit', id: 1 }, { kind: 'dial' }])
  })

  test('with a link it goes there alone', () => {
    expect(after(allowed, { kind: 'link-up' }, send(1)).rungs).toEqual([{ kind: 'transmit', id: 1 }])
  })

  test('is deposited as well when its acknowledgement is late, and settles with whichever comes first', () => {
    const late = after(allowed, { kind: 'link-up' }, send(1), { kind: 'late', id: 1 })
    expect(late.rungs).toEqual([{ kind: 'deposit', id: 1 }])
    expect(climb(late.state, { kind: 'acknowledged', id: 1 }, 0).rungs).toEqual([
      { kind: 'settle', id: 1, as: 'direct' },
    ])
    const deposited = climb(late.state, { kind: 'deposited', id: 1 }, 0)
    expect(deposited.rungs).toEqual([{ kind: 'settle', id: 1, as: 'deposited' }])
    expect(climb(deposited.state, { kind: 'acknowledged', id: 1 }, 0).rungs).toEqual([])
  })

  test('fails only when neither a mailbox nor a dial is left', () => {
    const failing = after(allowed, send(1), { kind: 'deposit-failed', id: 1 })
    expect(failing.rungs).toEqual([])
    expect(climb(failing.state, { kind: 'dial-failed', retryAtMs: 9 }, 0).rungs).toEqual([
      { kind: 'settle', id: 1, as: 'failed' },
    ])
    expect(climb(failing.state, { kind: 'link-up' }, 0).rungs).toEqual([{ kind: 'transmit', id: 1 }])
  })

  test('is deposited when the link ends with it', () => {
    const lost = after({ kind: 'link-up' }, send(1), { kind: 'unacknowledged', id: 1 })
    expect(lost.rungs).toEqual([{ kind: 'deposit', id: 1 }])
  })
})

describe('dialling', () => {
  test('a conversation on screen asks for a link and, after a failure, for a time', () => {
    expect(after(allowed, { kind: 'want', wanted: true }).rungs).toEqual([{ kind: 'dial' }])
    const failed = after(allowed, { kind: 'want', wanted: true }, { kind: 'dial-failed', retryAtMs: 500 })
    expect(failed.rungs).toEqual([{ kind: 'wake', atMs: 500 }])
    expect(climb(failed.state, { kind: 'time' }, 499).rungs).toEqual([{ kind: 'wake', atMs: 500 }])
    expect(climb(failed.state, { kind: 'time' }, 500).rungs).toEqual([{ kind: 'dial' }])
    expect(climb(failed.state, { kind: 'encouraged' }, 1).rungs).toEqual([{ kind: 'dial' }])
  })

  test('never without permission, and not for nothing', () => {
    expect(after({ kind: 'want', wanted: true }, send(1)).rungs).toEqual([{ kind: 'deposit', id: 1 }])
    expect(after(allowed).rungs).toEqual([])
    const shut = after(
      allowed,
      { kind: 'want', wanted: true },
      { kind: 'dial-failed', retryAtMs: 5 },
      { kind: 'want', wanted: false },
    )
    expect(shut.rungs).toEqual([])
    expect(climb(shut.state, { kind: 'time' }, 5).rungs).toEqual([])
  })
})

/** A world that answers what the ladder asks for, in any order it likes, and checks the numbered invariants. */
class World {
  state = initialLadder
  nowMs = 0
  readonly settled = new Map<number, string>()
  readonly depositsUnderWay = new Set<number>()
  readonly onLink = new Set<number>()
  readonly transmitted: number[] = []
  dials = 0
  lastId = 0

  happen(event: LadderEvent): void {
    const before = this.state
    const { state, rungs } = climb(before, event, this.nowMs)
    this.state = state
    if (event.kind === 'link-up') this.transmitted.length = 0
    for (const rung of rungs) this.take(rung, before)
    this.check(rungs)
  }

  private take(rung: Rung, before: LadderState): void {
    switch (rung.kind) {
      case 'settle':
        expect(this.settled.has(rung.id), 'invariant 1: settles once').toBe(false)
        if (rung.as === 'failed') {
          expect(this.depositsUnderWay.has(rung.id) || this.onLink.has(rung.id), 'invariant 4').toBe(false)
        }
        this.settled.set(rung.id, rung.as)
        break
      case 'transmit':
        expect(this.state.link, 'on the link only when up').toBe('up')
        expect(rung.id, 'invariant 7').toBeGreaterThan(this.transmitted.at(-1) ?? 0)
        this.transmitted.push(rung.id)
        this.onLink.add(rung.id)
        break
      case 'deposit':
        expect(this.depositsUnderWay.has(rung.id)).toBe(false)
        this.depositsUnderWay.add(rung.id)
        break
      case 'dial':
        expect(before.link, 'invariant 5: one dial, none beside a link').not.toBe('dialling')
        expect(this.state.mayDial, 'invariant 5: allowed').toBe(true)
        expect(this.nowMs, 'invariant 5: not too early').toBeGreaterThanOrEqual(this.state.notBeforeMs)
        expect(this.state.wanted || this.state.envelopes.size > 0, 'invariant 5: wanted').toBe(true)
        this.dials++
        break
      case 'wake':
        expect(rung.atMs, 'wakes in the future').toBeGreaterThan(this.nowMs)
        break
    }
  }

  private check(rungs: readonly Rung[]): void {
    for (const id of this.state.envelopes.keys()) {
      expect(this.settled.has(id)).toBe(false)
      const alive = this.onLink.has(id) || this.depositsUnderWay.has(id) || this.state.link === 'dialling'
      expect(alive, 'invariant 1: none is forgotten').toBe(true)
    }
    if (!this.state.wanted && this.state.envelopes.size === 0) {
      expect(
        rungs.some(({ kind }) => kind === 'dial' || kind === 'wake'),
        'invariant 6',
      ).toBe(false)
    }
    for (let id = 1; id <= this.lastId; id++) {
      expect(this.settled.has(id) !== this.state.envelopes.has(id), 'invariant 1: settled or kept').toBe(true)
    }
  }

  send(): void {
    this.lastId++
    this.happen({ kind: 'send', id: this.lastId })
  }

  answerDeposit(pick: number, yes: boolean): void {
    const id = [...this.depositsUnderWay][pick % Math.max(1, this.depositsUnderWay.size)]
    if (id === undefined) return
    this.depositsUnderWay.delete(id)
    this.happen({ kind: yes ? 'deposited' : 'deposit-failed', id })
  }

  answerLink(pick: number, yes: boolean): void {
    const id = [...this.onLink][pick % Math.max(1, this.onLink.size)]
    if (id === undefined) return
    this.onLink.delete(id)
    this.happen({ kind: yes ? 'acknowledged' : 'unacknowledged', id })
  }

  answerDial(yes: boolean): void {
    if (this.state.link !== 'dialling') return
    this.happen(yes ? { kind: 'link-up' } : { kind: 'dial-failed', retryAtMs: this.nowMs + 100 })
  }

  /** The link stream reports what was under way on it before it says that it ended. */
  loseLink(): void {
    if (this.state.link !== 'up') return
    while (this.onLink.size > 0) this.answerLink(0, false)
    this.happen({ kind: 'link-down', retryAtMs: this.nowMs + 50 })
  }

  late(pick: number): void {
    const id = [...this.onLink][pick % Math.max(1, this.onLink.size)]
    if (id !== undefined) this.happen({ kind: 'late', id })
  }

  pass(ms: number): void {
    this.nowMs += ms
    this.happen({ kind: 'time' })
  }
}

const action = fc.tuple(fc.integer({ min: 0, max: 13 }), fc.nat(20))

const act = (world: World, [what, pick]: readonly [number, number]): void => {
  const acts: (() => void)[] = [
    () => world.send(),
    () => world.send(),
    () => world.answerDeposit(pick, true),
    () => world.answerDeposit(pick, false),
    () => world.answerLink(pick, true),
    () => world.answerLink(pick, false),
    () => world.answerDial(true),
    () => world.answerDial(false),
    () => world.loseLink(),
    () => world.late(pick),
    () => world.happen({ kind: 'want', wanted: pick % 2 === 0 }),
    () => world.happen({ kind: 'route', mayDial: pick % 4 !== 0 }),
    () => (world.state.link === 'up' ? undefined : world.happen({ kind: 'link-up' })),
    () => world.pass(pick * 10),
  ]
  acts[what]?.()
}

test('whatever the network does, the invariants hold and every envelope settles', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      const world = new World()
      world.happen(allowed)
      for (const step of actions) act(world, step)
      // The world stops answering well: everything under way fails, and nothing may be left hanging.
      world.happen({ kind: 'want', wanted: false })
      for (let round = 0; round < 4; round++) {
        world.loseLink()
        while (world.depositsUnderWay.size > 0) world.answerDeposit(0, false)
        while (world.onLink.size > 0) world.answerLink(0, false)
        world.answerDial(false)
      }
      expect(world.state.envelopes.size).toBe(0)
      expect(world.settled.size).toBe(world.lastId)
    }),
    { numRuns: 500 },
  )
})
