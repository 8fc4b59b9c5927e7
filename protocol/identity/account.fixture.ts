import { setRelays, createAccount } from './account-log.ts'
import { createDevice, type DeviceSecrets } from './device.ts'
import {
  generatePrekeys,
  type PrekeyBundle,
  type PrekeyKind,
  type PrekeySecret,
  type SignedPublicKey,
} from './prekeys.ts'
import { seededRandom } from '../wire/random.fixture.ts'

/** 2026-01-01, the moment at which most tests play. */
export const testTime = Date.UTC(2026, 0, 1)

export interface TestAccount {
  readonly device: DeviceSecrets
  readonly accountId: Uint8Array
  /** Genesis and one set of relays. */
  readonly log: Uint8Array
  readonly recoverySecret: Uint8Array
}

/** An account of one device with one mailbox, the same for the same seed. */
export const testAccount = (seed: number): TestAccount => {
  const random = seededRandom(seed)
  const device = createDevice(random)
  const { accountId, log, recoverySecret } = createAccount({ device, now: testTime, random })
  const relay = {
    relayKey: random(32),
    addresses: ['/dns4/relay.example/tcp/443/wss'],
    mailboxes: [{ deviceId: device.deviceId, mailboxId: random(32) }],
  }
  return { device, accountId, log: setRelays(log, [relay], device, testTime), recoverySecret }
}

const onePrekey = (
  { accountId, device }: TestAccount,
  kind: PrekeyKind,
  firstId: number,
): { published: SignedPublicKey; secret: PrekeySecret } => {
  const random = seededRandom(firstId)
  const { published, secrets } = generatePrekeys({ accountId, device, kind, firstId, count: 1, now: testTime, random })
  const [first, secret] = [published[0], secrets[0]]
  if (first === undefined || secret === undefined) throw new Error('asked for one prekey')
  return { published: first, secret }
}

/** A bundle with one prekey of each sort, and their secrets. */
export const testBundle = (
  account: TestAccount,
): { bundle: PrekeyBundle; secrets: { signed: PrekeySecret; oneTime: PrekeySecret; kem: PrekeySecret } } => {
  const signed = onePrekey(account, 'signed', 1)
  const oneTime = onePrekey(account, 'one-time', 2)
  const kem = onePrekey(account, 'one-time-kem', 3)
  const bundle: PrekeyBundle = {
    accountId: account.accountId,
    deviceId: account.device.deviceId,
    signedPrekey: signed.published,
    oneTimePrekey: oneTime.published,
    kemPrekey: kem.published,
  }
  return { bundle, secrets: { signed: signed.secret, oneTime: oneTime.secret, kem: kem.secret } }
}
