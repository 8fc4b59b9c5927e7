import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBase64Url, toBase64Url, toHex } from '../wire/bytes.ts'
import { encodeCanonical, type CborValue } from '../wire/cbor.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { refusal, refusalInFull } from '../wire/refusal.fixture.ts'
import { repeats } from '../wire/repeats.fixture.ts'
import { decodeInvite, encodeInvite, inviteLane, inviteProof, type Invite } from './invite.ts'
import { laneHash } from './lane.ts'
import { noble } from '../crypto/noble-provider.ts'

const random = seededRandom(1)
const relay = { relayKey: random(32), addresses: ['/ip4/192.0.2.1/tcp/8787/ws'], mailboxId: random(32) }
const invite: Invite = { accountId: random(32), head: random(32), relays: [relay], secret: random(32) }

describe('invite', () => {
  test('comes back from its link, in characters that need no escaping', () => {
    const fragment = encodeInvite(invite)
    expect(fragment).toMatch(/^[A-Za-z0-9_-]+$/)
    expect(decodeInvite(fragment)).toEqual(invite)
    // Small enough for a QR code that a phone reads from a screen.
    expect(fragment.length).toBeLessThan(400)
  })

  test('any accepted text is the only one of its invite', () => {
    const fragment = encodeInvite(invite)
    const changed = fc
      .tuple(fc.nat({ max: fragment.length - 1 }), fc.constantFrom(...Array.from('AZaz09-_=+ ä')))
      .map(([at, c]) => {
        return fragment.slice(0, at) + c + fragment.slice(at + 1)
      })
    fc.assert(
      fc.property(changed, (text) => {
        let decoded: Invite | undefined
        expect(['malformed', 'limit', 'version', 'accepted']).toContain(refusal(() => (decoded = decodeInvite(text))))
        if (decoded !== undefined) expect(encodeInvite(decoded)).toBe(text)
      }),
      { numRuns: repeats(2_000) },
    )
  })

  test.each<[string, Partial<Invite>, string]>([
    ['without relay', { relays: [] }, 'malformed: invite.relays: expected an array of at least 1 elements'],
    [
      'with four relays',
      { relays: [relay, relay, relay, relay] },
      'limit: invite.relays: over the limit of 3 elements',
    ],
    [
      'without address',
      { relays: [{ ...relay, addresses: [] }] },
      'malformed: invite-relay.addresses: expected an array of at least 1 elements',
    ],
    [
      'with an address that is no multiaddr',
      { relays: [{ ...relay, addresses: ['https://x'] }] },
      'malformed: invite-relay.addresses: expected a multiaddr',
    ],
    ['with half a secret', { secret: random(16) }, 'malformed: invite.secret: expected 32 bytes'],
  ])('is refused %s', (_, change, expected) => {
    expect(refusalInFull(() => encodeInvite({ ...invite, ...change }))).toBe(expected)
  })

  test('of another version is told apart from damage', () => {
    const bytes = fromBase64Url(encodeInvite(invite))
    bytes[2] = 2
    const newer = 'version: invite: made by another version of Sotto'
    expect(refusalInFull(() => decodeInvite(toBase64Url(bytes)))).toBe(newer)
    expect(refusal(() => decodeInvite(''))).toBe('malformed')
    expect(refusalInFull(() => decodeInvite('oA'))).toBe('malformed: invite.version: expected a number')
    expect(refusal(() => decodeInvite('A'.repeat(24_576)))).toBe('malformed')
    expect(refusalInFull(() => decodeInvite('A'.repeat(24_577)))).toBe('limit: invite: longer than any invite')
  })

  test('the largest one stays under the limit', () => {
    const big = { ...relay, addresses: Array.from({ length: 8 }, () => `/${'a'.repeat(511)}`) }
    const largest = { ...invite, relays: [big, big, big] }
    expect(decodeInvite(encodeInvite(largest))).toEqual(largest)
  })
})

describe('what an invite secret gives', () => {
  test('one lane per mailbox and relay', () => {
    const lanes = [
      inviteLane(invite.secret, relay.relayKey, relay.mailboxId),
      inviteLane(invite.secret, relay.relayKey, random(32)),
      inviteLane(invite.secret, random(32), relay.mailboxId),
      inviteLane(invite.secret, relay.mailboxId, relay.relayKey),
      inviteLane(random(32), relay.relayKey, relay.mailboxId),
      inviteProof(invite.secret, relay.relayKey),
      inviteProof(invite.secret, relay.mailboxId),
      inviteProof(random(32), relay.relayKey),
    ]
    for (const lane of lanes) expect(lane).toHaveLength(32)
    expect(new Set(lanes.map(toHex)).size).toBe(lanes.length)
    expect(inviteLane(invite.secret, relay.relayKey, relay.mailboxId)).toEqual(lanes[0])
  })

  test('lane and proof are what the specification says', () => {
    const { secret, accountId } = invite
    const derive = (...info: CborValue[]) => noble.hkdfSha256(secret, new Uint8Array(0), encodeCanonical(info), 32)
    const lane = derive('Sotto_invite_lane', relay.relayKey, relay.mailboxId)
    expect(inviteLane(secret, relay.relayKey, relay.mailboxId)).toEqual(lane)
    const proof = noble.hmacSha256(derive('Sotto_invite_proof'), encodeCanonical([accountId]))
    expect(inviteProof(secret, accountId)).toEqual(proof)
  })
})

test('a relay knows a lane by its SHA-256', () => {
  const lane = random(32)
  expect(laneHash(lane)).toEqual(noble.sha256(lane))
})
