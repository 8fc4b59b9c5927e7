import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { mailboxIdOf } from '../../protocol/relay/mailbox-id.ts'
import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import type { DialOutcome, NetworkListener, PeerPath, PeerRoute, RelayAddress, RelayState } from '../network.ts'
import { createNetwork } from '../peer-link.ts'
import { abortConnection } from '../stream/end-connection.ts'
import { Courier } from './courier.ts'
import { StunServers } from './stun-servers.ts'

/** The page of the browser tests: a network with an engine that knows its peers by name, driven from outside. */

interface Card {
  readonly name: string
  readonly deviceKey: string
  readonly mailboxId: string
  readonly lane: string
}

const seed = crypto.getRandomValues(new Uint8Array(32))
const mailboxSecret = crypto.getRandomValues(new Uint8Array(32))
const mailboxId = mailboxIdOf(mailboxSecret)
const lane = crypto.getRandomValues(new Uint8Array(32))
const network = createNetwork({ environment: { window, document, navigator } })
const received: { text: string; path: string; atMs: number }[] = []
const paths: Record<string, PeerPath> = {}
const states: RelayState[] = []
const dials: DialOutcome[] = []
let myName = ''
let relay: RelayAddress = { relayKey: new Uint8Array(32), addresses: [] }
let courier: Courier | undefined
const couriers: Courier[] = []

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const engine: NetworkListener = {
  onEnvelopes: (source, envelopes) => {
    for (const { envelope } of envelopes) {
      received.push({ text: text(envelope).trimEnd(), path: source.kind, atMs: Date.now() })
    }
    return Promise.resolve(envelopes.map(() => true))
  },
  hello: () => Promise.resolve(utf8(`hello ${myName}`)),
  onSignal: (_linkId, signal) => {
    const [word, contactId = ''] = text(signal).split(' ')
    return Promise.resolve(word === 'hello' ? { contactId, reply: utf8(`back ${myName}`) } : { contactId })
  },
  onRelayState: (_relayKey, state) => {
    states.push(state)
  },
  onDial: (_contactId, outcome) => {
    dials.push(outcome)
  },
  onPrekeysLow: () => {},
  onPath: (contactId, path) => {
    paths[contactId] = path
  },
}

const routeTo = (card: Card): PeerRoute => ({
  contactId: card.name,
  deviceKey: fromHex(card.deviceKey),
  mailboxes: [{ ...relay, mailboxId: fromHex(card.mailboxId), lane: fromHex(card.lane) }],
  direct: true,
})

const newCourier = (): Courier =>
  new Courier(relay, {
    stun: new StunServers(),
    now: () => Date.now(),
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    onChange: () => {},
  })

const dial = async (by: Courier, { deviceKey }: Card, deadlineMs: number): Promise<number | string> => {
  const begun = performance.now()
  try {
    const connection = await by.dialDirect(fromHex(deviceKey), AbortSignal.timeout(deadlineMs))
    const ms = performance.now() - begun
    await connection.close().catch(() => abortConnection(connection, 'did not close'))
    return Math.round(ms)
  } catch (error) {
    return error instanceof Error ? error.message : 'failed'
  }
}

const page = {
  start: async (name: string, relayKey: string, addresses: string[]): Promise<Card> => {
    myName = name
    relay = { relayKey: fromHex(relayKey), addresses }
    const mailbox = { ...relay, mailboxId, mailboxSecret }
    await network.start({ deviceSeed: seed, mailboxes: [mailbox] }, engine)
    const laneHash = new Uint8Array(await crypto.subtle.digest('SHA-256', lane))
    const granted = await network.setLanes(mailbox, [{ laneHash }])
    if (!granted.ok) throw new Error(granted.message)
    const { raw } = (await generateKeyPairFromSeed('Ed25519', seed)).publicKey
    return { name, deviceKey: toHex(raw), mailboxId: toHex(mailboxId), lane: toHex(lane) }
  },
  want: (card: Card, wanted: boolean): void => network.wantDirect(routeTo(card), wanted),
  send: (card: Card, message: string) => network.send(routeTo(card), utf8(message.padEnd(256))),
  stop: () => network.stop(),
  /** One direct dial and its end: milliseconds, or what the error says. */
  dialOnce: (card: Card, deadlineMs: number): Promise<number | string> =>
    dial((courier ??= newCourier()), card, deadlineMs),
  /** So many at once, each from a host of its own; as `dialOnce`. */
  dialAtOnce: (card: Card, count: number, deadlineMs: number): Promise<(number | string)[]> => {
    while (couriers.length < count) couriers.push(newCourier())
    return Promise.all(couriers.slice(0, count).map((one) => dial(one, card, deadlineMs)))
  },
  received,
  paths,
  states,
  dials,
}

/** What the tests call in the page. */
export type DirectPage = typeof page

Object.assign(window, { direct: page })
