import { laneHash } from '../../protocol/envelope/lane.ts'
import type { SignedPublicKey } from '../../protocol/identity/prekeys.ts'
import { equalBytes, toHex } from '../../protocol/wire/bytes.ts'
import type {
  LaneGrant,
  NetworkListener,
  ReceivedEnvelope,
  RelayState,
  RemoteMailbox,
} from '../../signaling/network.ts'
import { TestRelay } from './test-relay.fixture.ts'

/** A repeatable source of numbers in [0, 1). */
export const seeded = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Chances from 0 to 1 per envelope; `delayMs` is the most one is held up. */
export interface Faults {
  /** The sender is told "offline" and nothing went out. */
  readonly lose?: number
  /** It went out, but the sender is told "offline". */
  readonly loseAnswer?: number
  /** The sender is told yes, but nothing went out: a relay with a spent lane. */
  readonly swallow?: number
  readonly duplicate?: number
  readonly reorder?: number
  readonly delayMs?: number
}

interface Mailbox {
  readonly relay: TestRelay
  readonly waiting: ReceivedEnvelope[]
  readonly lanes: Map<string, LaneGrant>
  counter: number
  owner: Connection | undefined
  delivering: boolean
}

export interface Connection {
  readonly listener: NetworkListener
  readonly deviceKey: string
  readonly accountOf: () => string | undefined
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Relays (one, unless more are added) and the air around them, as far as an engine can tell: real bytes between real engines, and every kind of trouble. */
export class TestWorld {
  readonly relay = new TestRelay(1, (relay) => this.#turned(relay))
  readonly relays: TestRelay[] = [this.relay]
  readonly mailboxes = new Map<string, Mailbox>()
  readonly connections = new Map<string, Connection>()
  /** Every envelope that was ever handed over, in order, with its sender's account id. */
  readonly seen: { readonly envelope: Uint8Array; readonly from: string | undefined }[] = []
  direct = false
  /** Oldest version of clients the relay serves. */
  oldestClient = 1
  /** How often somebody asked how many prekeys are left. */
  counted = 0
  /** So many starts of a network fail. */
  failStarts = 0
  /** Contacts (hex) for whom a started network was asked for a direct link, in order. */
  readonly wanted: string[] = []
  faults: Faults = {}
  #links = 0
  /** The newest link of two accounts, by both their names in order. */
  readonly #linkOf = new Map<string, number>()
  readonly #chance: () => number

  constructor(seed = 1) {
    this.#chance = seeded(seed)
  }

  get relayKey(): Uint8Array {
    return this.relay.relayKey
  }

  get address(): string {
    return this.relay.address
  }

  get logs(): Map<string, Uint8Array> {
    return this.relay.logs
  }

  get prekeys(): Map<string, SignedPublicKey[]> {
    return this.relay.prekeys
  }

  get notFound(): number {
    return this.relay.notFound
  }

  get relayUp(): boolean {
    return this.relay.up
  }

  set relayUp(up: boolean) {
    this.relay.up = up
  }

  /** One more relay. */
  addRelay(): TestRelay {
    const relay = new TestRelay(this.relays.length + 1, (turned) => this.#turned(turned))
    this.relays.push(relay)
    return relay
  }

  relayOf({ relayKey }: { readonly relayKey: Uint8Array }): TestRelay {
    const relay = this.relays.find((one) => equalBytes(one.relayKey, relayKey))
    if (!relay) throw new Error('there is no such relay')
    return relay
  }

  /** A relay went, or came back: whoever collects there notices. */
  #turned(relay: TestRelay): void {
    for (const mailbox of this.mailboxes.values()) {
      if (mailbox.relay !== relay || !mailbox.owner) continue
      mailbox.owner.listener.onRelayState(relay.relayKey, this.stateOf(relay))
      void this.deliver(mailbox)
    }
  }

  stateOf({ up }: TestRelay): RelayState {
    return this.oldestClient > 2 ? 'outdated' : up ? 'connected' : 'reconnecting'
  }

  hit(chance: number | undefined): boolean {
    return chance !== undefined && this.#chance() < chance
  }

  delay(): Promise<void> {
    return this.faults.delayMs ? wait(this.#chance() * this.faults.delayMs) : Promise.resolve()
  }

  /** The relay comes back with an empty database. */
  loseDatabase(): void {
    this.logs.clear()
    this.prekeys.clear()
    for (const { relay, lanes } of this.mailboxes.values()) if (relay === this.relay) lanes.clear()
  }

  mailbox(id: Uint8Array, relay = this.relay): Mailbox {
    const name = toHex(id)
    let mailbox = this.mailboxes.get(name)
    if (!mailbox)
      this.mailboxes.set(
        name,
        (mailbox = { relay, waiting: [], lanes: new Map(), counter: 0, owner: undefined, delivering: false }),
      )
    return mailbox
  }

  /** Puts an envelope into a mailbox as somebody who knows a lane would. */
  deposit({ relayKey, mailboxId, lane }: RemoteMailbox, envelope: Uint8Array): void {
    const mailbox = this.mailbox(mailboxId, this.relayOf({ relayKey }))
    const hash = laneHash(lane)
    const grant = mailbox.lanes.get(toHex(hash))
    if (!grant || grant.envelopes === 0) return
    if (grant.envelopes !== undefined) mailbox.lanes.set(toHex(hash), { ...grant, envelopes: grant.envelopes - 1 })
    if (mailbox.waiting.some((one) => equalBytes(one.envelope, envelope)) && !this.hit(this.faults.duplicate)) return
    mailbox.waiting.push({ envelope, laneHash: hash })
    if (this.hit(this.faults.duplicate)) mailbox.waiting.push({ envelope, laneHash: hash })
    if (this.hit(this.faults.reorder)) mailbox.waiting.sort(() => this.#chance() - 0.5)
    void this.deliver(mailbox)
  }

  async deliver(mailbox: Mailbox): Promise<void> {
    if (mailbox.delivering) return
    mailbox.delivering = true
    while (mailbox.owner && mailbox.relay.up && mailbox.waiting.length > 0) {
      const { listener } = mailbox.owner
      const batch = mailbox.waiting.slice(0, 50)
      const source = {
        kind: 'mailbox',
        relayKey: mailbox.relay.relayKey,
        waiting: mailbox.waiting.length - batch.length,
      } as const
      await this.delay()
      const answers = await listener.onEnvelopes(source, batch).catch(() => batch.map(() => false))
      for (const [i, one] of batch.entries()) if (answers[i]) mailbox.waiting.splice(mailbox.waiting.indexOf(one), 1)
      if (answers.includes(false)) await wait(5)
    }
    mailbox.delivering = false
  }

  /** Opens a direct link between two engines: hello, answer, and the path on both sides. */
  async link(a: Connection, b: Connection): Promise<boolean> {
    const [idA, idB] = [a.accountOf(), b.accountOf()]
    if (idA === undefined || idB === undefined) return false
    const linkId = ++this.#links
    const hello = await a.listener.hello(idB)
    const answered = hello && (await b.listener.onSignal(linkId, hello))
    const known = answered?.reply && (await a.listener.onSignal(linkId, answered.reply))
    if (!known || answered.contactId !== idA || known.contactId !== idB) return false
    this.#linkOf.set([idA, idB].toSorted().join(), linkId)
    a.listener.onPath(idB, 'direct')
    b.listener.onPath(idA, 'direct')
    return true
  }

  /** Number of the link between two accounts; signals that nobody opened a link for come over one of their own. */
  linkBetween(a: string | undefined, b: string): number {
    return this.#linkOf.get([a ?? '', b].toSorted().join()) ?? 0
  }

  connection(deviceKey: Uint8Array): Connection | undefined {
    return this.connections.get(toHex(deviceKey))
  }
}
