import { deleteDB, openDB } from 'idb'
import { noble } from '../../protocol/crypto/noble-provider.ts'
import type { CryptoProvider } from '../../protocol/crypto/provider.ts'
import type { ClientStore } from '../store/client-store.ts'
import { openIndexedDbStore, rawStoreNames } from '../store/indexed-db-store.ts'
import type { ConversationView, EngineApi, EngineEvent, MessageView } from './engine-api.ts'
import { createEngine } from './engine.ts'
import type { PeerChannel, PeerMessage } from './peers.ts'
import type { Network } from '../../signaling/network.ts'
import type { Pace } from './pace.ts'
import { createTestNetwork } from './engine-network.fixture.ts'
import type { TestWorld } from './test-network.fixture.ts'
import type { TestRelay } from './test-relay.fixture.ts'

export const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length))

/** Quick enough for tests; the proportions are those of real life. */
const quickPace: Partial<Pace> = {
  receiptDirectMs: [5, 10],
  recordMs: [5, 20],
  receiptMailboxMs: [10, 40],
  receiptRenewMs: 200,
  offerAgainMs: [300, 2_000],
  retryMs: [20, 200],
  accountMissingMs: [20, 200],
  counterMs: [20, 200],
  askMs: 10,
  overtakeMs: 50,
  patienceMs: 10_000,
}

export interface PersonOptions {
  readonly world: TestWorld
  readonly name: string
  /** Where this person begins. @default the world's first */
  readonly relay?: TestRelay
  /** How far this clock is from the true one. @default () => 0 */
  readonly clockOffsetMs?: () => number
  readonly crypto?: CryptoProvider
  readonly loadCrypto?: () => Promise<CryptoProvider>
  readonly pace?: Partial<Pace>
  /** Wraps each store that is opened, e.g. to make it fail. */
  readonly wrap?: (store: ClientStore) => ClientStore
}

/** One human with a browser: a database that outlives engines, and the engine that is open now. */
export class Person {
  readonly database = `person-${crypto.randomUUID()}`
  readonly options: PersonOptions
  events: EngineEvent[] = []
  engine: EngineApi
  accountId: string | undefined

  constructor(options: PersonOptions) {
    this.options = options
    this.engine = this.#create()
  }

  /** One more tab: another engine on the same database, not connected. */
  async openTab(): Promise<{ engine: EngineApi; events: EngineEvent[]; connect: () => Promise<void> }> {
    const events: EngineEvent[] = []
    const engine = this.#create()
    await engine.open((event) => void events.push(event))
    return { engine, events, connect: () => engine.connect(this.#network()) }
  }

  #network(): Network {
    const deviceKey = (seed: Uint8Array): Uint8Array => noble.ed25519PublicKey(seed)
    return createTestNetwork(this.options.world, deviceKey, () => this.accountId)
  }

  #peers(): PeerChannel {
    const channel = new BroadcastChannel(this.database)
    return {
      post: (message) => channel.postMessage(message),
      onMessage: (listener) =>
        channel.addEventListener('message', ({ data }: MessageEvent<PeerMessage>) => listener(data)),
      close: () => channel.close(),
    }
  }

  #create(): EngineApi {
    const {
      clockOffsetMs = () => 0,
      crypto: provider = noble,
      loadCrypto,
      pace = {},
      wrap = (store) => store,
    } = this.options
    return createEngine({
      openStore: async (onClosed, current) =>
        wrap(await openIndexedDbStore({ name: this.database, random, onClosed, crypto: current })),
      now: () => Date.now() + clockOffsetMs(),
      random,
      peers: this.#peers(),
      crypto: provider,
      ...(loadCrypto && { loadCrypto }),
      pace: { ...quickPace, ...pace },
    })
  }

  /** Opens the page: a fresh engine on the same database. */
  async open(): Promise<void> {
    this.engine = this.#create()
    const state = await this.engine.open((event) => void this.events.push(event))
    this.accountId = state.profile?.accountId
    await this.engine.connect(this.#network())
  }

  async onboard(): Promise<void> {
    await this.open()
    const outcome = await this.engine.createAccount(this.options.name, [
      (this.options.relay ?? this.options.world.relay).address,
    ])
    if (!outcome.ok) throw new Error(outcome.problem.message)
    this.accountId = outcome.value.accountId
  }

  close(): Promise<void> {
    return this.engine.close()
  }

  async end(): Promise<void> {
    await this.engine.close()
    await deleteDB(this.database)
  }

  async invite(): Promise<string> {
    const outcome = await this.engine.createInvite()
    if (!outcome.ok) throw new Error(outcome.problem.message)
    return outcome.value.fragment
  }

  async accept(fragment: string): Promise<string> {
    const outcome = await this.engine.acceptInvite(fragment)
    if (!outcome.ok) throw new Error(outcome.problem.message)
    return outcome.value.conversationId
  }

  async send(conversationId: string, text: string): Promise<MessageView> {
    const outcome = await this.engine.send(conversationId, text)
    if (!outcome.ok) throw new Error(outcome.problem.message)
    return outcome.value
  }

  /** Every message of a conversation in display order, by pages as a screen reads them. */
  async messages(conversationId: string): Promise<MessageView[]> {
    const out: MessageView[] = []
    for (;;) {
      const after = out.at(-1)?.position ?? Number.NEGATIVE_INFINITY
      const page = await this.engine.messages(conversationId, { after, limit: 200 })
      out.push(...page)
      if (page.length < 200) return out
    }
  }

  async texts(conversationId: string): Promise<(string | undefined)[]> {
    return (await this.messages(conversationId)).map((message) => message.text)
  }

  /** The last event about the conversation. */
  conversation(conversationId: string): ConversationView | undefined {
    const events = this.events.filter((event) => event.kind === 'conversation')
    return events.findLast((event) => event.conversation.conversationId === conversationId)?.conversation
  }

  /** Everything that lies in the database but the diagnostics and what only counts, as text to compare. */
  async dump(): Promise<string> {
    const raw = await openDB(this.database)
    const lines: string[] = []
    const compared = rawStoreNames.filter((name) => !['diagnostics', 'continuity', 'lock'].includes(name))
    for (const store of compared) {
      const [keys, values] = await Promise.all([raw.getAllKeys(store), raw.getAll(store)])
      keys.forEach((key, i) => lines.push(`${store} ${describe(key)} ${describe(values[i])}`))
    }
    raw.close()
    return lines.join('\n')
  }
}

const describe = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof ArrayBuffer) return [...new Uint8Array(part)].join(' ')
    return part instanceof Uint8Array ? [...part].join(' ') : part
  })

/** Two people who have met: A invited, B accepted. */
export const meet = async (a: Person, b: Person): Promise<string> => {
  await Promise.all([a.onboard(), b.onboard()])
  return b.accept(await a.invite())
}
