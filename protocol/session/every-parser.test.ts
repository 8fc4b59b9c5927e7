import { describe, expect, test } from 'vitest'
import { decodeContent, encodeContent } from '../content/content.ts'
import { decodeInvite, encodeInvite } from '../envelope/invite.ts'
import { decodeEnvelope } from '../envelope/envelope.ts'
import { handshakeMessage, initiatorIdentity } from '../handshake/handshake-message.ts'
import { testAccount, testTime } from '../identity/account.fixture.ts'
import { verifyAccountLog } from '../identity/account-log.ts'
import { decodeDeviceSecrets, encodeDeviceSecrets } from '../identity/device.ts'
import { decodePrekeySecret, encodePrekeySecret, prekeyBundle, signedPublicKey } from '../identity/prekeys.ts'
import { ratchetState } from '../ratchet/state.ts'
import { relayCases } from '../relay/calls.fixture.ts'
import { requestFrame } from '../relay/frame.ts'
import { envelopesPush } from '../relay/mailbox-calls.ts'
import { createVaultKey, openRecord, sealRecord } from '../vault/vault.ts'
import { encodeUtf8, fromBase64Url, toBase64Url } from '../wire/bytes.ts'
import { hostileInputs } from '../wire/fuzz.fixture.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { repeats } from '../wire/repeats.fixture.ts'
import { introduced, people, respond } from './people.fixture.ts'
import { decodeSession, decryptMessage, encodeSession, encryptMessage } from './session.ts'
import { openSignal, sealSignal } from './signal.ts'

const now = testTime
const random = seededRandom(80)
const who = people(80)
const { alice, bob, first } = introduced(who)
const reply = encryptMessage(bob, encodeUtf8('reply'), { now, random }).envelope
const account = testAccount(81)
const vaultKey = createVaultKey(random)
const place = { accountId: account.accountId, store: 'sessions', key: 'a' }
const { handshake = new Uint8Array(0) } = alice
const { accountId, head, device } = who.alice
const { deviceId, identityKey } = device

/** Every kind of bytes that the protocol reads, with the function that reads it; false: refused by an answer, not an error. */
const kinds: readonly (readonly [name: string, example: Uint8Array, read: (bytes: Uint8Array) => unknown])[] = [
  ['prekey envelope', first, (bytes) => respond(who, bytes)],
  ['session envelope', reply, (bytes) => decryptMessage(alice, bytes, { now })],
  ['handshake', handshake, handshakeMessage.decode],
  [
    'initiator identity',
    initiatorIdentity.encode({ accountId, head, deviceId, identityKey, generation: 1 }),
    initiatorIdentity.decode,
  ],
  ['ratchet', ratchetState.encode(bob.ratchet), ratchetState.decode],
  ['session record', encodeSession(bob), decodeSession],
  [
    'signal',
    sealSignal(alice, { kind: 'hello' }, { now, random }),
    (bytes) => openSignal(bob, bytes, { now }) !== null,
  ],
  ['account log', account.log, (bytes) => verifyAccountLog(bytes)],
  ['device secrets', encodeDeviceSecrets(account.device), (bytes) => decodeDeviceSecrets(bytes)],
  ['prekey', signedPublicKey.encode(who.bundle.signedPrekey), signedPublicKey.decode],
  ['prekey bundle', prekeyBundle.encode(who.bundle), prekeyBundle.decode],
  ['prekey secret', encodePrekeySecret(who.prekeys.signed), decodePrekeySecret],
  [
    'content',
    encodeContent({
      messageId: random(16),
      conversationId: random(16),
      sentAtMs: now,
      sequence: 1,
      head,
      body: { kind: 'text', text: 'hello' },
    }),
    decodeContent,
  ],
  [
    'invite',
    fromBase64Url(
      encodeInvite({
        accountId,
        head,
        relays: [{ relayKey: random(32), addresses: ['/dns4/relay.example/tcp/443/wss'], mailboxId: random(32) }],
        secret: random(32),
      }),
    ),
    (bytes) => decodeInvite(toBase64Url(bytes)),
  ],
  ['vault record', sealRecord(vaultKey, place, reply, random), (bytes) => openRecord(vaultKey, place, bytes)],
  ['relay request', requestFrame.encode({ id: 1, method: 'deposit', params: reply }), requestFrame.decode],
  [
    'relay push',
    envelopesPush.encode({
      mailboxId: random(32),
      envelopes: [{ sequence: 1, laneHash: random(32), envelope: reply }],
      waiting: 0,
    }),
    envelopesPush.decode,
  ],
]

/** Kinds above that are also among the relay's calls. */
const sameStruct = new Set(['prekey', 'prekey bundle', 'relay request', 'relay push'])

/**
 * What a call is says the method's name beside it, or who asked; the struct need not. These are alike, and no others: 32 bytes;
 * a mailbox and a number; a log, whose bytes are judged later; the three replies, which are one struct.
 */
const oneKey = ['fetch-log', 'fetch-prekeys', 'register']
const mailboxAndNumber = ['advance', 'subscribe']
const logs = ['log', 'publish-log']
const replies = ['reply: answer', 'reply: push', 'reply: refusal']
const among = (names: readonly string[], readers: readonly string[]): string[] =>
  names.flatMap((name) => readers.filter((reader) => reader !== name).map((reader) => `${name} as ${reader}`))
const twins = [
  ...among(oneKey, oneKey),
  ...among(mailboxAndNumber, mailboxAndNumber),
  ...among([...oneKey, ...logs], logs),
  ...among(replies, replies),
]

const accepts = (read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): boolean => {
  let answer: unknown
  const code = refusal(() => {
    answer = read(bytes)
  })
  return code === 'accepted' && answer !== false
}

describe('every kind of bytes at every reader', () => {
  test.each(kinds)('%s: read by its own reader, cleanly refused by all others', (name, example) => {
    for (const [reader, , read] of kinds) expect(accepts(read, example), `read as ${reader}`).toBe(reader === name)
  })

  test('relay calls: refused by readers of anything else, and by each other where they differ in shape', () => {
    const read: string[] = []
    for (const call of relayCases) {
      for (const [reader, example, open] of kinds) {
        if (!sameStruct.has(reader)) expect(accepts(open, call.sample), `${call.name} as ${reader}`).toBe(false)
        if (!sameStruct.has(reader) && accepts(call.recode, example)) read.push(`${reader} as ${call.name}`)
      }
      for (const other of relayCases)
        if (other !== call && accepts(call.recode, other.sample)) read.push(`${other.name} as ${call.name}`)
    }
    expect(read.toSorted()).toEqual(twins.toSorted())
  })

  test('hostile mutations of all of them: typed errors from every reader', { timeout: 60_000 }, () => {
    const examples = kinds.map(([, example]) => example)
    const cheap = kinds.filter(([name]) => name !== 'account log')
    let accepted = 0
    for (const input of hostileInputs(examples, repeats(3_000), 8)) {
      for (const [, , read] of cheap) if (accepts(read, input)) accepted++
      refusal(() => decodeEnvelope(input))
    }
    // Some mutations leave a struct valid; none may open anything sealed, which the other tests see to.
    expect(accepted).toBeLessThan(1_000)
  })
})
