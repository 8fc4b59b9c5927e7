import { expect } from 'vitest'
import { keyOracle, type KeyOracle } from '../crypto/key-oracle.fixture.ts'
import { nodeProvider } from '../crypto/node-provider.fixture.ts'
import { testTime } from '../identity/account.fixture.ts'
import { seededPick } from '../wire/fuzz.fixture.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { introduced, people } from './people.fixture.ts'
import { decryptMessage, encryptMessage, type Session } from './session.ts'

type Name = 'alice' | 'bob'

interface Underway {
  readonly to: Name
  /** Number of the state it was made from: of two envelopes with one, only one opens. */
  readonly from: number
  readonly envelope: Uint8Array
}

/** What happened in a long talk. */
export interface Talk {
  readonly crypto: KeyOracle
  /** Messages sealed; each is two seals, a header's and a body's. */
  readonly sent: number
  readonly opened: number
  /** Messages sealed from a state that had sealed before: two tabs, or a crash before anything was stored. */
  readonly races: number
  readonly kemSteps: number
  readonly rootSteps: number
}

/** Six of a hundred messages are sealed a second time from the same state. */
const racesPerHundred = 6

/**
 * Two people for `steps` steps, each of which seals or opens one message: reordered, lost, repeated; states used twice, as two
 * tabs or a crash would. Throws when a key is used twice with one nonce, or when a message does not open.
 */
export const longTalk = (steps: number, seed: number): Talk => {
  const pick = seededPick(seed)
  const random = seededRandom(seed + 1)
  let [kemSteps, rootSteps, sent, opened, races] = [0, 0, 0, 0, 0]
  const oracle = keyOracle(nodeProvider)
  const crypto: KeyOracle = {
    ...oracle,
    mlkem768Encapsulate: (...args) => (kemSteps++, oracle.mlkem768Encapsulate(...args)),
    x25519: (...args) => (rootSteps++, oracle.x25519(...args)),
  }
  const sessions: Record<Name, Session> = introduced({ ...people(seed, crypto), random })
  let speaker: Name = 'alice'
  const underway: Underway[] = []
  const done = new Set<number>()
  const tools = { now: testTime, random, crypto }

  const send = (by: Name): void => {
    const session = sessions[by]
    const to = by === 'alice' ? 'bob' : 'alice'
    const from = sent
    const tries = pick(100) < racesPerHundred ? 2 : 1
    for (let i = 0; i < tries; i++) {
      const made = encryptMessage(session, Uint8Array.of(i), tools)
      sessions[by] = made.session
      // Of two that open a chain only the stored one is let out, as the app's transaction sees to: they share no chain.
      const isOut = i === tries - 1 || session.ratchet.sending !== undefined
      if (isOut && pick(100) > 0) underway.push({ to, from, envelope: made.envelope })
      sent++
    }
    races += tries - 1
  }

  const deliver = (): void => {
    // The last takes the place of the one taken: some order, but not the order of sending.
    const at = pick(2) === 0 ? underway.length - 1 : pick(underway.length)
    const message = underway[at]
    const last = underway.pop()
    if (message === undefined || last === undefined) return
    if (message !== last) underway[at] = last
    if (pick(50) === 0) underway.push(message)
    const { to, from, envelope } = message
    const code = refusal(() => (sessions[to] = decryptMessage(sessions[to], envelope, tools).session))
    if (code === 'accepted' && !done.has(from)) opened++
    else if (!done.has(from) || code === 'accepted') expect.fail(`a message of state ${from} ended in ${code}`)
    done.add(from)
  }

  for (let step = 0; step < steps; step++) {
    // Between ten and forty are under way.
    if (underway.length >= 40 || (underway.length >= 10 && pick(2) === 0)) deliver()
    else send((speaker = pick(4) > 0 ? speaker : pick(2) === 0 ? 'alice' : 'bob'))
  }
  return { crypto, sent, opened, races, kemSteps, rootSteps }
}
