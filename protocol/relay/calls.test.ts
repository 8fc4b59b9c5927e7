import { describe, expect, test } from 'vitest'
import { testAccount, testTime } from '../identity/account.fixture.ts'
import { generatePrekeys } from '../identity/prekeys.ts'
import { maxEnvelopeBytes, maxIdsPerCall } from '../wire/limits.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { refusal } from '../wire/refusal.fixture.ts'
import { relayCases } from './calls.fixture.ts'
import { maxFrameBytes, refusalCodes, replyFrame, requestFrame, type ReplyFrame } from './frame.ts'
import { ackParams, depositParams, envelopesPush, setLanesParams, subscribeParams } from './mailbox-calls.ts'
import { fetchPrekeysResult, maxPrekeysPerCall, publishPrekeysParams } from './prekey-calls.ts'
import { testBundle } from '../identity/account.fixture.ts'

const random = seededRandom(2)
const bob = testAccount(1)

test.each(relayCases)(
  '$name encodes to the same bytes again, and tolerates nothing around it',
  ({ sample, recode }) => {
    expect(recode(sample)).toEqual(sample)
    expect(refusal(() => recode(Uint8Array.of(...sample, 0)))).toBe('malformed')
    expect(refusal(() => recode(sample.slice(0, -1)))).toBe('malformed')
  },
)

describe('a reply is one thing', () => {
  const result = random(4)
  const refused = { code: 'internal' as const, message: '' }
  test.each<[string, ReplyFrame, string]>([
    ['a refusal alone, of a frame without id', { refusal: refused }, 'accepted'],
    ['nothing', {}, 'malformed'],
    ['an id alone', { id: 1 }, 'malformed'],
    ['an answer without id', { result }, 'malformed'],
    ['an answer and a refusal', { id: 1, result, refusal: refused }, 'malformed'],
    ['an answer and a push', { id: 1, result, push: result }, 'malformed'],
    ['a push with an id', { id: 1, push: result }, 'malformed'],
  ])('%s', (_, frame, code) => {
    expect(refusal(() => replyFrame.encode(frame))).toBe(code)
  })

  test.each(Object.keys(refusalCodes) as (keyof typeof refusalCodes)[])('refusal %s comes back', (code) => {
    const frame = { id: 1, refusal: { code, message: 'm', retryAfterMs: 0 } }
    expect(replyFrame.decode(replyFrame.encode(frame))).toEqual(frame)
  })
})

describe('the largest calls', () => {
  const framed = (params: Uint8Array): number =>
    requestFrame.encode({ id: 0xffff_ffff, method: 'm'.repeat(32), params }).length
  const owner = { accountId: bob.accountId, deviceId: bob.device.deviceId }

  test('a publication of as many KEM prekeys as a call takes fits a frame', () => {
    const { accountId, device } = bob
    const kem = { accountId, device, kind: 'one-time-kem', firstId: 1, now: testTime, random } as const
    const { published } = generatePrekeys({ ...kem, count: maxPrekeysPerCall })
    expect(framed(publishPrekeysParams.encode({ ...owner, prekeys: published }))).toBeLessThan(maxFrameBytes)
  })

  test('three full envelopes fit a push, a deposit to 64 mailboxes and bundles of 16 devices a frame', () => {
    const waiting = {
      sequence: Number.MAX_SAFE_INTEGER,
      laneHash: random(32),
      envelope: new Uint8Array(maxEnvelopeBytes),
    }
    const push = envelopesPush.encode({ mailboxId: random(32), envelopes: [waiting, waiting, waiting], waiting: 9_999 })
    expect(replyFrame.encode({ push }).length).toBeLessThan(maxFrameBytes)
    const targets = Array.from({ length: 64 }, () => ({ mailboxId: random(32), lane: random(32) }))
    expect(framed(depositParams.encode({ envelope: waiting.envelope, targets }))).toBeLessThan(maxFrameBytes)
    const { bundle } = testBundle(bob)
    const result = fetchPrekeysResult.encode({ bundles: Array.from({ length: 16 }, () => bundle) })
    expect(replyFrame.encode({ id: 1, result }).length).toBeLessThan(maxFrameBytes)
  })

  test.each<[string, () => unknown, string]>([
    ['an empty envelope', () => depositParams.encode({ envelope: new Uint8Array(0), targets: [] }), 'malformed'],
    [
      'an envelope over 64 KiB',
      () => depositParams.encode({ envelope: new Uint8Array(maxEnvelopeBytes + 1), targets: [] }),
      'limit',
    ],
    [
      'more ids than a call takes',
      () =>
        ackParams.encode({ mailboxId: random(32), sequences: Array.from({ length: maxIdsPerCall + 1 }, (_, i) => i) }),
      'limit',
    ],
    ['a window over 1,000', () => subscribeParams.encode({ mailboxId: random(32), window: 1_001 }), 'limit'],
    [
      'a lane for over a million',
      () => setLanesParams.encode({ mailboxId: random(32), lanes: [{ laneHash: random(32), envelopes: 1_000_001 }] }),
      'limit',
    ],
    ['half a mailbox id', () => subscribeParams.encode({ mailboxId: random(16), window: 1 }), 'malformed'],
  ])('%s is refused', (_, run, code) => {
    expect(refusal(run)).toBe(code)
  })
})
