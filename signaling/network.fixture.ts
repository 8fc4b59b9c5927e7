import { randomBytes, createHash } from 'node:crypto'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { mailboxIdOf } from '../protocol/relay/mailbox-id.ts'
import { Changes } from './changes.fixture.ts'
import type { NetworkEnvironment } from './environment.ts'
import type {
  DialOutcome,
  EnvelopeSource,
  Network,
  NetworkListener,
  OwnMailbox,
  PeerPath,
  PeerRoute,
  ReceivedEnvelope,
  RelayAddress,
  RelayState,
} from './network.ts'
import { createNetwork } from './peer-link.ts'

/** A mailbox at a relay that nobody has registered yet. */
export const newMailbox = (relay: RelayAddress): OwnMailbox => {
  const mailboxSecret = random32()
  return { ...relay, mailboxSecret, mailboxId: mailboxIdOf(mailboxSecret) }
}

/** A page that tests can put to sleep and take off the network. */
export class FakePage implements NetworkEnvironment {
  readonly window = new EventTarget()
  readonly document = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  readonly navigator = { onLine: true }
}

/** 32 fresh random bytes. */
export const random32 = (): Uint8Array => new Uint8Array(randomBytes(32))

export const sha256 = (data: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(data).digest())

/** An engine that remembers what it was told. By default it takes every envelope. */
export class FakeEngine extends Changes implements NetworkListener {
  readonly received: { source: EnvelopeSource; envelope: Uint8Array; laneHash?: Uint8Array }[] = []
  readonly batches: number[] = []
  readonly relayStates: RelayState[] = []
  prekeysLow = 0
  readonly paths = new Map<string, PeerPath>()
  readonly dials: DialOutcome[] = []
  /** What to answer for a batch. */
  take: (envelopes: readonly ReceivedEnvelope[]) => Promise<boolean[]> = (envelopes) =>
    Promise.resolve(envelopes.map(() => true))
  /** Hellos by contact, and whom a hello belongs to. */
  hellos = new Map<string, Uint8Array>()
  owners = new Map<string, string>()
  readonly signals: { contactId: string | undefined; text: string }[] = []

  async onEnvelopes(source: EnvelopeSource, envelopes: readonly ReceivedEnvelope[]): Promise<boolean[]> {
    const answers = await this.take(envelopes)
    this.batches.push(envelopes.length)
    for (const [i, envelope] of envelopes.entries()) {
      if (answers[i] === true) this.received.push({ source, ...envelope })
    }
    this.changed()
    return answers
  }

  hello(contactId: string): Promise<Uint8Array | null> {
    return Promise.resolve(this.hellos.get(contactId) ?? null)
  }

  onSignal(_linkId: number, signal: Uint8Array): Promise<{ contactId: string; reply?: Uint8Array } | null> {
    const text = new TextDecoder().decode(signal)
    const contactId = this.owners.get(text)
    this.signals.push({ contactId, text })
    this.changed()
    if (contactId === undefined) return Promise.resolve(null)
    const reply = text.startsWith('hello') ? this.hellos.get(contactId) : undefined
    return Promise.resolve(reply === undefined || text.startsWith('hello-back') ? { contactId } : { contactId, reply })
  }

  onRelayState(_relayKey: Uint8Array, state: RelayState): void {
    this.relayStates.push(state)
    this.changed()
  }

  onPath(contactId: string, path: PeerPath): void {
    this.paths.set(contactId, path)
    this.changed()
  }

  onDial(_contactId: string, outcome: DialOutcome): void {
    this.dials.push(outcome)
    this.changed()
  }

  onPrekeysLow(): void {
    this.prekeysLow++
    this.changed()
  }

  get relayState(): RelayState | undefined {
    return this.relayStates.at(-1)
  }
}

/** A device with its network, engine and page, living at one relay. */
export interface Device extends AsyncDisposable {
  readonly network: Network
  readonly engine: FakeEngine
  readonly page: FakePage
  readonly deviceSeed: Uint8Array
  readonly deviceKey: Uint8Array
  readonly mailbox: OwnMailbox
  readonly lane: Uint8Array
  /** How others reach it. */
  readonly route: (contactId: string, direct?: boolean) => PeerRoute
}

/** Starts a device at a relay; resolves once it is connected and its lane is set. */
export const startDevice = async (relay: RelayAddress): Promise<Device> => {
  const deviceSeed = random32()
  const deviceKey = (await generateKeyPairFromSeed('Ed25519', deviceSeed)).publicKey.raw
  const mailbox = newMailbox(relay)
  const lane = random32()
  const engine = new FakeEngine()
  const page = new FakePage()
  const network = createNetwork({ environment: page })
  await network.start({ deviceSeed, mailboxes: [mailbox] }, engine)
  const granted = await network.setLanes(mailbox, [{ laneHash: sha256(lane) }])
  if (!granted.ok) throw new Error(granted.message)
  return {
    network,
    engine,
    page,
    deviceSeed,
    deviceKey,
    mailbox,
    lane,
    route: (contactId, direct = false) => ({ contactId, deviceKey, mailboxes: [{ ...mailbox, lane }], direct }),
    [Symbol.asyncDispose]: () => network.stop(),
  }
}
