import { expect, test } from 'vitest'
import { encodeUtf8 } from '../wire/bytes.ts'
import { noble } from '../crypto/noble-provider.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { refusalInFull } from '../wire/refusal.fixture.ts'
import { sealedHeader } from './header.ts'
import type { HeaderKey, RatchetKey, RatchetSecret, RootKey } from './keys.ts'
import { initiatorState, ratchetState, responderState } from './state.ts'
import { defaultSuite, suiteOf } from './suite.ts'

const random = seededRandom(5)
const rootKey = random(32) as RootKey
const initiatorHeaderKey = random(32) as HeaderKey
const responderHeaderKey = random(32) as HeaderKey
const keys = { rootKey, initiatorHeaderKey, responderHeaderKey }
const remoteRatchetKey = random(32) as RatchetKey
const own = { secret: random(32) as RatchetSecret, key: remoteRatchetKey }
const initiator = initiatorState(keys, remoteRatchetKey, 5)

test('an initiator begins with a KEM step due, a responder with its prekey as own pair', () => {
  const common = { rootKey, previousCount: 0, receiving: [] }
  expect(initiator).toStrictEqual({
    ...common,
    remoteRatchetKey,
    nextSendingHeaderKey: initiatorHeaderKey,
    nextReceivingHeaderKey: responderHeaderKey,
    sinceKem: { messages: 50, atMs: 5 },
  })
  expect(responderState(keys, own, 5)).toStrictEqual({
    ...common,
    own,
    nextSendingHeaderKey: responderHeaderKey,
    nextReceivingHeaderKey: initiatorHeaderKey,
    sinceKem: { messages: 0, atMs: 5 },
  })
})

test.each<[string, object]>([
  ['malformed: ratchet.rootKey: expected 32 bytes', { rootKey: random(31) }],
  ['malformed: ratchet-pair.secret: expected 32 bytes', { own: { ...own, secret: random(33) } }],
  ['malformed: ratchet-pair.kemSeed: expected 64 bytes', { own: { ...own, kemSeed: random(63) } }],
  ['malformed: sending-chain.chainKey: expected 32 bytes', { sending: {} }],
  [
    'malformed: sending-chain.kemKey: expected 1184 bytes',
    { sending: { chainKey: rootKey, headerKey: rootKey, next: 0, kemKey: random(32) } },
  ],
  [
    'malformed: sending-chain.kemCiphertext: expected 1088 bytes',
    { sending: { chainKey: rootKey, headerKey: rootKey, next: 0, kemCiphertext: random(32) } },
  ],
  ['malformed: receiving-chain.headerKey: expected 32 bytes', { receiving: [{}] }],
  [
    'limit: ratchet.receiving: over the limit of 200 elements',
    { receiving: Array.from({ length: 201 }, () => ({ headerKey: rootKey, next: 0 })) },
  ],
  ['malformed: ratchet.remoteKemKey: expected 1184 bytes', { remoteKemKey: random(32) }],
  ['limit: since-kem-step.messages: over the limit of 50', { sinceKem: { messages: 51, atMs: 0 } }],
  ['limit: ratchet.previousCount: over the limit of 4294967295', { previousCount: 2 ** 32 }],
  ['accepted', { previousCount: 2 ** 32 - 1 }],
])('what no state holds is not stored: %s', (refusal, change) => {
  expect(refusalInFull(() => ratchetState.encode({ ...initiator, ...change }))).toBe(refusal)
})

test('the suite: labels of the profile, sealed headers', () => {
  expect(defaultSuite).toEqual({
    crypto: noble,
    rootLabel: encodeUtf8('Sotto_root'),
    kemRootLabel: encodeUtf8('Sotto_kem_root'),
    header: sealedHeader,
  })
  expect(suiteOf(noble)).toBe(defaultSuite)
  const other = { ...noble }
  expect(suiteOf(other)).toEqual({ ...defaultSuite, crypto: other })
  expect(suiteOf(other)).toBe(suiteOf(other))
})
