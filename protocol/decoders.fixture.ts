import { encodeContent, decodeContent, type Content } from './content/content.ts'
import { noble } from './crypto/noble-provider.ts'
import type { CryptoProvider } from './crypto/provider.ts'
import { decodeEnvelope, encodeEnvelope } from './envelope/envelope.ts'
import { decodeInvite, encodeInvite } from './envelope/invite.ts'
import { handshakeMessage } from './handshake/handshake-message.ts'
import { logExtends, replaceDevice, verifyAccountLog } from './identity/account-log.ts'
import { testAccount, testBundle, testTime } from './identity/account.fixture.ts'
import { createDevice, decodeDeviceSecrets, encodeDeviceSecrets } from './identity/device.ts'
import { accountLog, entryBody, genesisPayload, replaceDevicePayload, setRelaysPayload } from './identity/log-entry.ts'
import { decodePrekeySecret, encodePrekeySecret, prekeyBundle, verifyBundle } from './identity/prekeys.ts'
import { readSafetyCode, safetyNumber } from './identity/safety-number.ts'
import { codecCase, relayCases, type DecoderCase } from './relay/calls.fixture.ts'
import { introduced, people, respond } from './session/people.fixture.ts'
import { decodeSession, decryptMessage, encodeSession, encryptMessage, readEnvelope } from './session/session.ts'
import { openSignal, sealSignal } from './session/signal.ts'
import { openRecord, sealRecord } from './vault/vault.ts'
import { fromBase64Url, toBase64Url } from './wire/bytes.ts'
import { decodeCanonical, encodeCanonical } from './wire/cbor.ts'
import { ProtocolError } from './wire/error.ts'
import { seededRandom } from './wire/random.fixture.ts'

/** Accepts every signature, so that hostile bytes get behind the check, where a stranger's own signature would. */
const credulous: CryptoProvider = { ...noble, ed25519Verify: () => true }

const random = seededRandom(11)
const alice = testAccount(1)
const { bundle, secrets } = testBundle(alice)
const { entries } = accountLog.decode(alice.log)
const replaced = replaceDevice(alice.log, alice.device, createDevice(random), testTime)
const sides = [
  { accountId: alice.accountId, head: random(32) },
  { accountId: random(32), head: random(32) },
] as const
const place = { accountId: alice.accountId, store: 'messages', key: 'x' }
const vaultKey = random(64)
const lane = {
  relayKey: random(32),
  addresses: ['/dns4/relay.example/tcp/443/wss'],
  mailboxId: random(32),
  lane: random(32),
}

const content: Content = {
  messageId: random(16),
  conversationId: random(16),
  sentAtMs: testTime,
  sequence: 5,
  head: random(32),
  expiresAtMs: testTime + 1,
  body: { kind: 'text', text: 'Grüße 👋', replyTo: { messageId: new Uint8Array(16).fill(9), bySender: false } },
  profile: { name: 'Alice' },
  lanes: { lanes: [lane] },
  opening: { log: alice.log, inviteProof: random(32) },
  extensions: [{ code: 1, data: random(5) }],
}
const { relayKey, addresses, mailboxId } = lane
const invite = {
  accountId: random(32),
  head: random(32),
  relays: [{ relayKey, addresses, mailboxId }],
  secret: random(32),
}

const oneWay = (name: string, sample: Uint8Array, decode: (bytes: Uint8Array) => unknown): DecoderCase => ({
  name,
  sample,
  recode: (bytes) => {
    decode(bytes)
    return undefined
  },
})

/** Names are cleaned on the way, so a content with one need not encode to the same bytes: such are left to another case. */
const namelessCodec = {
  encode: encodeContent,
  decode: (bytes: Uint8Array) => {
    const decoded = decodeContent(bytes)
    if (decoded.profile !== undefined) throw new ProtocolError('malformed', 'a content with a name')
    return decoded
  },
}
const { profile: _, ...nameless } = content
const receipt: Content = {
  ...nameless,
  sequence: 0,
  body: { kind: 'receipt', delivered: [random(16)], read: [random(16)] },
}

const changed = new Uint8Array(16).fill(9)
const changes = {
  edit: { kind: 'edit', messageId: changed, revision: 2, text: 'Grüße' },
  deletion: { kind: 'deletion', messageId: changed },
  reaction: { kind: 'reaction', target: { messageId: changed, bySender: true }, revision: 1, emoji: '👍' },
} as const

const ownCases: DecoderCase[] = [
  codecCase('canonical CBOR', { encode: encodeCanonical, decode: decodeCanonical }, [1, 'x', new Map([[0, null]])]),
  codecCase('account-log', accountLog, { entries }),
  codecCase('account-entry-body', entryBody, entryBody.decode(entries[0]?.body ?? new Uint8Array(0))),
  codecCase('genesis', genesisPayload, { device: alice.device, recoveryKey: random(32) }),
  codecCase('set-relays', setRelaysPayload, { relays: [...verifyAccountLog(alice.log).relays] }),
  codecCase('replace-device', replaceDevicePayload, { device: alice.device }),
  codecCase('device-secrets', { encode: encodeDeviceSecrets, decode: (b) => decodeDeviceSecrets(b) }, alice.device),
  codecCase('prekey-secret', { encode: encodePrekeySecret, decode: decodePrekeySecret }, secrets.kem),
  oneWay('verifyAccountLog', alice.log, (bytes) => verifyAccountLog(bytes)),
  oneWay('verifyAccountLog behind its signatures', replaced, (bytes) => verifyAccountLog(bytes, credulous)),
  oneWay('logExtends', alice.log, (bytes) => logExtends(bytes, alice.accountId)),
  oneWay('readSafetyCode', safetyNumber(...sides).qr, readSafetyCode),
  oneWay('verifyBundle', prekeyBundle.encode(bundle), (bytes) =>
    verifyBundle(prekeyBundle.decode(bytes), alice.accountId, alice.device, { crypto: credulous }),
  ),
  oneWay('content', encodeContent(content), decodeContent),
  ...(['edit', 'deletion', 'reaction'] as const).map((kind) =>
    oneWay(`content with ${kind}`, encodeContent({ ...receipt, body: changes[kind] }), decodeContent),
  ),
  codecCase('content without a name', namelessCodec, receipt),
  oneWay('invite', fromBase64Url(encodeInvite(invite)), (bytes) => decodeInvite(toBase64Url(bytes))),
  oneWay('vault record', sealRecord(vaultKey, place, random(50), random), (bytes) =>
    openRecord(vaultKey, place, bytes),
  ),
]

const who = people(9)
const { alice: near, bob: far, first } = introduced(who)
const context = { now: testTime, random: who.random }
const later = encryptMessage(far, random(20), context).envelope
const signal = sealSignal(far, { kind: 'typing', active: true }, context)
const envelopeCodec = { encode: encodeEnvelope, decode: decodeEnvelope }
const openedHandshake = decodeEnvelope(first).handshake ?? new Uint8Array(0)

const sessionCases: DecoderCase[] = [
  codecCase('envelope', envelopeCodec, decodeEnvelope(first)),
  codecCase('handshake', handshakeMessage, handshakeMessage.decode(openedHandshake)),
  codecCase('session record', { encode: encodeSession, decode: decodeSession }, near),
  oneWay('readEnvelope', first, (bytes) => readEnvelope(bytes)),
  oneWay('respondToHandshake', first, (bytes) => respond(who, bytes)),
  oneWay('decryptMessage', later, (bytes) => decryptMessage(near, bytes, context)),
  // Its refusal is null, whatever is wrong.
  oneWay('openSignal', signal, (bytes) => {
    if (openSignal(near, bytes, context) === null) throw new ProtocolError('foreign', 'no signal of this session')
  }),
]

/** Every decoder of the protocol; a new one is added here. For tests and the fuzzer only. */
export const decoderCases: readonly DecoderCase[] = [...ownCases, ...sessionCases, ...relayCases]
