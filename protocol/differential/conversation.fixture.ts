import { expect } from 'vitest'
import { toHex } from '../wire/bytes.ts'
import { seededNumbers, seededRandom } from '../wire/random.fixture.ts'
import { pythonCallsSotto, sottoCallsPython, type Introduced } from './introduction.fixture.ts'
import type { Sealed } from './party.fixture.ts'
import type { PythonPeer } from './python-peer.fixture.ts'

/** What happened in one session or in many. */
interface Tally {
  sessions: number
  withOneTimePrekey: number
  sottoCalled: number
  sent: number
  opened: number
  lost: number
  /** Opened after one that was sent later. */
  overtaken: number
  /** The other one began to speak. */
  turns: number
  /** Altered or repeated messages, each refused. */
  refused: number
}

const noTally = (): Tally => ({
  sessions: 0,
  withOneTimePrekey: 0,
  sottoCalled: 0,
  sent: 0,
  opened: 0,
  lost: 0,
  overtaken: 0,
  turns: 0,
  refused: 0,
})

interface Underway {
  readonly message: Sealed
  readonly plaintext: Uint8Array
  /** Position among all that its sender sent. */
  readonly position: number
}

/** Sotto's codes and Python's exceptions. */
const notAuthentic = ['authentication', 'AuthenticationFailedException']
/** A repeat. Python takes one of a closed chain for the beginning of a new one, Sotto one of a forgotten chain for foreign. */
const spent = ['duplicate', 'foreign', 'DuplicateMessageException', 'AuthenticationFailedException']
/** Another number: of a message that is spent, or beyond the end of its chain. */
const noSuchNumber = [...spent, 'authentication', 'malformed']

type Role = keyof Introduced
const other = (role: Role): Role => (role === 'initiator' ? 'responder' : 'initiator')

/** How a session's network and people behave: shares between 0 and 1, and the number of steps. */
const styleOf = (chance: () => number) => ({
  turn: 0.02 + chance() * 0.4,
  send: 0.4 + chance() * 0.3,
  loss: chance() * 0.5,
  disorder: chance(),
  repeat: chance() * 0.2,
  damage: chance() * 0.2,
  // One in thirty runs long, for chains with many missing.
  steps: chance() < 1 / 30 ? 300 : 10 + Math.floor(chance() * 50),
})

/** Two parties over a network that loses, reorders, repeats and damages, as `chance` has it. */
class Conversation {
  private readonly parties: Introduced
  private readonly chance: () => number
  private readonly bytes
  private readonly style
  private readonly tally: Tally
  private readonly underway: Record<Role, Underway[]> = { initiator: [], responder: [] }
  private readonly sent: Record<Role, number> = { initiator: 0, responder: 0 }
  private readonly newestOpened: Record<Role, number> = { initiator: -1, responder: -1 }
  private speaker: Role = 'initiator'

  constructor(parties: Introduced, seed: number, tally: Tally) {
    this.parties = parties
    this.chance = seededNumbers(seed)
    this.bytes = seededRandom(seed + 1)
    this.style = styleOf(this.chance)
    this.tally = tally
  }

  private below(limit: number): number {
    return Math.floor(this.chance() * limit)
  }

  private async send(): Promise<void> {
    const { speaker } = this
    const plaintext = this.bytes(this.below(100))
    const message = await this.parties[speaker].send(plaintext)
    this.underway[speaker].push({ message, plaintext, position: this.sent[speaker]++ })
    this.tally.sent++
  }

  private async refuses(by: Role, message: Sealed, reasons: readonly string[]): Promise<void> {
    expect(reasons).toContain(await this.parties[by].receive(message))
    this.tally.refused++
  }

  /** Altered in the number, the ciphertext or the tag; the ratchet key stays, for it is the name of the chain. */
  private async refusesAltered(by: Role, { header, body }: Sealed): Promise<void> {
    const flip = (bytes: Uint8Array, at: number) => bytes.with(at, (bytes[at] as number) ^ (1 + this.below(255)))
    if (this.chance() < 0.3) return this.refuses(by, { header: flip(header, 39), body }, noSuchNumber)
    return this.refuses(by, { header, body: flip(body, this.below(body.length)) }, notAuthentic)
  }

  private async deliver(from: Role, at: number): Promise<void> {
    const [taken] = this.underway[from].splice(at, 1)
    if (taken === undefined) return
    const { message, plaintext, position } = taken
    const to = other(from)
    if (this.chance() < this.style.damage) await this.refusesAltered(to, message)
    const opened = await this.parties[to].receive(message)
    expect(typeof opened === 'string' ? opened : toHex(opened), `message ${position} of the ${from}`).toBe(
      toHex(plaintext),
    )
    this.tally.opened++
    if (position < this.newestOpened[from]) this.tally.overtaken++
    this.newestOpened[from] = Math.max(this.newestOpened[from], position)
    if (this.chance() < this.style.repeat) await this.refuses(to, message, spent)
  }

  private async step(): Promise<void> {
    const { style } = this
    // A responder has no keys to send with before something has come.
    const mayTurn = this.speaker === 'responder' || this.newestOpened.initiator >= 0
    if (mayTurn && this.chance() < style.turn) {
      this.speaker = other(this.speaker)
      this.tally.turns++
    }
    if (this.chance() < style.send) return this.send()
    const from: Role = this.chance() < 0.5 ? 'initiator' : 'responder'
    const queue = this.underway[from]
    if (queue.length === 0) return
    if (this.chance() < style.loss) {
      queue.splice(this.below(queue.length), 1)
      this.tally.lost++
      return
    }
    await this.deliver(from, this.chance() < style.disorder ? this.below(queue.length) : 0)
  }

  async run(): Promise<void> {
    for (let i = 0; i < this.style.steps; i++) await this.step()
    // The late ones arrive in the end, in any order.
    for (const from of ['initiator', 'responder'] as const) {
      while (this.underway[from].length > 0) await this.deliver(from, this.below(this.underway[from].length))
    }
  }
}

const runSession = async (peer: PythonPeer, seed: number, session: number, tally: Tally): Promise<void> => {
  // Far apart, so that neighbouring sessions share nothing.
  const own = (Math.imul(session + 1, 0x9e3779b1) ^ seed) >>> 0
  const [hasOneTimePrekey, doesSottoCall] = [session % 2 === 0, session % 4 < 2]
  const introduction = { peer, session, random: seededRandom(own), hasOneTimePrekey }
  try {
    const parties = await (doesSottoCall ? sottoCallsPython : pythonCallsSotto)(introduction)
    await new Conversation(parties, own ^ 0x55555555, tally).run()
    await peer.request({ op: 'end', session })
  } catch (cause) {
    throw new Error(`seed ${seed}, session ${session}: ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
  tally.sessions++
  if (hasOneTimePrekey) tally.withOneTimePrekey++
  if (doesSottoCall) tally.sottoCalled++
}

/** So many sessions at once, so that both processes have something to do. */
const atOnce = 8

/** Runs `count` sessions of Sotto with the Python packages; the same for the same seed. @throws at the first difference. */
export const runSessions = async (peer: PythonPeer, seed: number, count: number): Promise<Tally> => {
  const tally = noTally()
  let next = 0
  const worker = async () => {
    while (next < count) await runSession(peer, seed, next++, tally)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return tally
}
