import { testAccount, testBundle, testTime } from '../identity/account.fixture.ts'
import { prekeyBundle, signedPublicKey } from '../identity/prekeys.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { fetchLogParams, fetchLogResult, publishLogParams } from './directory-calls.ts'
import { done, replyFrame, requestFrame } from './frame.ts'
import { relayInfo } from './info-calls.ts'
import {
  ackParams,
  advanceParams,
  advanceResult,
  depositParams,
  envelopesPush,
  registerParams,
  revokeLanesParams,
  setLanesParams,
  subscribeParams,
} from './mailbox-calls.ts'
import {
  countPrekeysParams,
  fetchPrekeysParams,
  fetchPrekeysResult,
  prekeyCount,
  publishPrekeysParams,
} from './prekey-calls.ts'

/** A decoder of the protocol with the encoding of a value it accepts. */
export interface DecoderCase {
  readonly name: string
  readonly sample: Uint8Array
  /** Decodes, and returns the encoding of what was decoded, or nothing where decoding is one-way. */
  readonly recode: (bytes: Uint8Array) => Uint8Array | undefined
}

interface Codec<T> {
  readonly encode: (value: T) => Uint8Array
  readonly decode: (bytes: Uint8Array) => T
}

/** The case of a codec. For tests only. */
export const codecCase = <T>(name: string, codec: Codec<T>, value: T): DecoderCase => ({
  name,
  sample: codec.encode(value),
  recode: (bytes) => codec.encode(codec.decode(bytes)),
})

const random = seededRandom(1)
const bob = testAccount(1)
const { bundle } = testBundle(bob)
const owner = { accountId: bob.accountId, deviceId: bob.device.deviceId }
const mailboxId = random(32)
const grant = { laneHash: random(32), envelopes: 20, expiresAtMs: testTime }

/** Every struct that travels between a client and a relay. */
export const relayCases: DecoderCase[] = [
  codecCase('request', requestFrame, { id: 7, method: 'deposit', params: random(40) }),
  codecCase('reply: answer', replyFrame, { id: 7, result: random(40) }),
  codecCase('reply: refusal', replyFrame, {
    id: 7,
    refusal: { code: 'slow-down', message: '600 a minute per lane', retryAfterMs: 1_500 },
  }),
  codecCase('reply: push', replyFrame, { push: random(40) }),
  codecCase('done', done, {}),
  codecCase('advance', advanceParams, { mailboxId, counter: 700 }),
  codecCase('advanced', advanceResult, { before: 699 }),
  codecCase('publish-log', publishLogParams, { log: bob.log }),
  codecCase('fetch-log', fetchLogParams, { accountId: bob.accountId }),
  codecCase('log', fetchLogResult, { log: bob.log }),
  codecCase('relay-info', relayInfo, {
    name: 'Relay of the village',
    version: '0.1.0',
    addresses: ['/ip4/192.0.2.1/udp/8788/webrtc-direct/certhash/uEiA/p2p/12D3KooW'],
    stunPort: 8_789,
    oldestClient: 1,
    mailboxRetentionMs: 2_592_000_000,
  }),
  codecCase('register', registerParams, { mailboxSecret: random(32) }),
  codecCase('set-lanes', setLanesParams, { mailboxId, lanes: [grant, { laneHash: random(32) }] }),
  codecCase('revoke-lanes', revokeLanesParams, { mailboxId, laneHashes: [random(32), random(32)] }),
  codecCase('deposit', depositParams, { envelope: random(256), targets: [{ mailboxId, lane: random(32) }] }),
  codecCase('subscribe', subscribeParams, { mailboxId, window: 50 }),
  codecCase('envelopes', envelopesPush, {
    mailboxId,
    envelopes: [{ sequence: 300, laneHash: random(32), envelope: random(256) }],
    waiting: 12,
  }),
  codecCase('ack', ackParams, { mailboxId, sequences: [1, 2, 70_000] }),
  codecCase('publish-prekeys', publishPrekeysParams, { ...owner, prekeys: [bundle.signedPrekey, bundle.kemPrekey] }),
  codecCase('count-prekeys', countPrekeysParams, owner),
  codecCase('prekey-count', prekeyCount, { oneTime: 99, oneTimeKem: 100 }),
  codecCase('fetch-prekeys', fetchPrekeysParams, { accountId: bob.accountId }),
  codecCase('bundles', fetchPrekeysResult, { bundles: [bundle] }),
  codecCase('prekey', signedPublicKey, bundle.kemPrekey),
  codecCase('prekey-bundle', prekeyBundle, bundle),
]
