import { expect, test } from 'vitest'
import { inviteLane, encodeInvite } from './envelope/invite.ts'
import { createAccount } from './identity/account-log.ts'
import { testAccount, testTime } from './identity/account.fixture.ts'
import { createDevice } from './identity/device.ts'
import { generatePrekeys, type PrekeyKind } from './identity/prekeys.ts'
import { initiate, introduced, people } from './session/people.fixture.ts'
import { encryptMessage } from './session/session.ts'
import { sealSignal } from './session/signal.ts'
import { createVaultKey, sealRecord } from './vault/vault.ts'
import type { Random } from './wire/brand.ts'
import { seededRandom } from './wire/random.fixture.ts'
import { refusal } from './wire/refusal.fixture.ts'

const who = people()
const { alice, bob } = introduced(who)
const account = testAccount(1)
const place = { accountId: new Uint8Array(32), store: 'messages', key: 'key' }
const vaultKey = createVaultKey(seededRandom(1))
const prekeys = (kind: PrekeyKind) => (random: Random) =>
  generatePrekeys({ ...account, kind, firstId: 1, count: 1, now: testTime, random })

/** Every place that draws, and how often. */
const draws: readonly [name: string, count: number, run: (random: Random) => unknown][] = [
  ['createDevice', 2, createDevice],
  ['createAccount', 1, (random) => createAccount({ device: account.device, now: testTime, random })],
  ['a signed prekey', 1, prekeys('signed')],
  ['a KEM prekey', 1, prekeys('last-resort-kem')],
  ['a handshake', 2, (random) => initiate({ ...who, random })],
  // Nonce, ratchet key, and the seed of the KEM key that a first chain offers.
  ['a first message', 3, (random) => encryptMessage(initiate(who), place.accountId, { now: testTime, random })],
  // Nonce, ratchet key, and what answers the KEM key.
  ['a first reply', 3, (random) => encryptMessage(bob, place.accountId, { now: testTime, random })],
  ['a later message', 1, (random) => encryptMessage(alice, place.accountId, { now: testTime, random })],
  ['a signal', 1, (random) => sealSignal(alice, { kind: 'hello' }, { now: testTime, random })],
  ['a vault key', 1, createVaultKey],
  ['a record', 1, (random) => sealRecord(vaultKey, place, place.accountId, random)],
]

test.each(draws)('%s: each draw that comes out short, long or empty is refused', (_, count, run) => {
  const at = (wrong: number, change: number) => {
    const source = seededRandom(7)
    let drawn = 0
    const random: Random = (length) => source(drawn++ === wrong ? Math.max(0, length + change) : length)
    return [refusal(() => run(random)), drawn] as const
  }
  expect(at(-1, 0)).toEqual(['accepted', count])
  for (let wrong = 0; wrong < count; wrong++) {
    for (const change of [-1, 1, -64]) expect(at(wrong, change)[0], `draw ${wrong}, ${change}`).toBe('key')
  }
})

test('a secret of an invite that is short has no link', () => {
  const secret = seededRandom(8)(31)
  const { accountId } = account
  const relays = [{ relayKey: accountId, addresses: ['/ip4/192.0.2.1'], mailboxId: accountId }]
  expect(refusal(() => encodeInvite({ accountId, head: accountId, relays, secret }))).toBe('malformed')
  expect(inviteLane(secret, accountId, accountId)).toHaveLength(32)
})
