import { noble } from '../crypto/noble-provider.ts'
import { refusalInFull } from '../wire/refusal.fixture.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { testAccount, testTime } from './account.fixture.ts'
import { verifyAccountLog } from './account-log.ts'
import type { DeviceSecrets } from './device.ts'
import { accountLog, entryBody, entryTypes, setRelaysPayload, type RelayRecord, type SignedEntry } from './log-entry.ts'
import { sign } from './signature.ts'

/** Two accounts, their logs, and entries forged for them. For tests only. */
export const alice = testAccount(1)
export const mallory = testAccount(2)
export const aliceView = verifyAccountLog(alice.log)
export const entriesOf = (log: Uint8Array): SignedEntry[] => accountLog.decode(log).entries
export const withEntries = (entries: SignedEntry[]): Uint8Array => accountLog.encode({ entries })
export const [genesis, relaysEntry] = entriesOf(alice.log) as [SignedEntry, SignedEntry]

export const relayOf = (device: DeviceSecrets, seed: number): RelayRecord => {
  const random = seededRandom(seed)
  return {
    relayKey: random(32),
    addresses: ['/ip4/192.0.2.1/udp/8788/webrtc-direct'],
    mailboxes: [{ deviceId: device.deviceId, mailboxId: random(32) }],
  }
}

export type BodyFields = Parameters<typeof entryBody.encode>[0]

/** An entry with any body, signed in all form by the given device. */
export const signedBy = (device: DeviceSecrets, fields: Partial<BodyFields>): SignedEntry => {
  const body = entryBody.encode({
    type: entryTypes.setRelays,
    accountId: aliceView.accountId,
    previous: aliceView.head,
    createdAtMs: testTime,
    payload: setRelaysPayload.encode({ relays: [] }),
    ...fields,
  })
  return {
    body,
    signatures: [{ key: device.deviceKey, signature: sign(noble, device.deviceSeed, 'Sotto_account_entry', [body]) }],
  }
}

export const appended = (entry: SignedEntry): string =>
  refusalInFull(() => verifyAccountLog(withEntries([genesis, relaysEntry, entry])))
