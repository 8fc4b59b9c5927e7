import { noble } from '../crypto/noble-provider.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import { verifyAccountLog } from '../identity/account-log.ts'
import { testAccount, testBundle, testTime, type TestAccount } from '../identity/account.fixture.ts'
import type { PrekeyBundle } from '../identity/prekeys.ts'
import type { Random } from '../wire/brand.ts'
import { encodeUtf8 } from '../wire/bytes.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import type { ResponderPrekeys } from './responding-device.ts'
import { encryptMessage, initiateSession, respondToHandshake, type LocalIdentity, type Session } from './session.ts'

export const localOf = ({ accountId, log, device }: TestAccount): LocalIdentity => ({
  accountId,
  head: verifyAccountLog(log).head,
  device,
})

/** Alice and Bob, who has published prekeys. The same for the same seed. For tests only. */
export interface People {
  readonly alice: LocalIdentity
  readonly bob: LocalIdentity
  readonly bundle: PrekeyBundle
  readonly prekeys: ResponderPrekeys
  readonly random: Random
  readonly crypto: CryptoProvider
}

export const people = (seed = 1, crypto: CryptoProvider = noble): People => {
  const bobsAccount = testAccount(seed + 1_000)
  const { bundle, secrets } = testBundle(bobsAccount)
  const alice = localOf(testAccount(seed))
  return { alice, bob: localOf(bobsAccount), bundle, prekeys: secrets, random: seededRandom(seed + 2_000), crypto }
}

/** Alice's session with Bob, before her first message. */
export const initiate = ({ alice, bob, bundle, random, crypto }: People, generation = 7): Session =>
  initiateSession({
    local: alice,
    remoteAccountId: bob.accountId,
    remoteDevice: bob.device,
    bundle,
    generation,
    now: testTime,
    random,
    crypto,
  })

/** Bob opens Alice's first message. */
export const respond = ({ bob, prekeys, crypto }: People, envelope: Uint8Array) =>
  respondToHandshake({ local: bob, envelope, prekeys, now: testTime, crypto })

/** Both sessions after Alice's first message arrived; Alice has no reply yet. */
export const introduced = (who: People): { alice: Session; bob: Session; first: Uint8Array } => {
  const { session: alice, envelope: first } = encryptMessage(initiate(who), encodeUtf8('hello'), {
    now: testTime,
    random: who.random,
    crypto: who.crypto,
  })
  return { alice, bob: respond(who, first).session, first }
}
