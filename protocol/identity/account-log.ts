import type { CryptoProvider } from '../crypto/provider.ts'
import { noble } from '../crypto/noble-provider.ts'
import type { Random } from '../wire/brand.ts'
import { equalBytes } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import { maxLogBytes } from '../wire/limits.ts'
import type { AccountView } from './account-view.ts'
import type { DeviceSecrets } from './device.ts'
import { append, begin, refuse, type Chain } from './log-chain.ts'
import {
  accountLog,
  entryBody,
  entryTypes,
  genesisPayload,
  replaceDevicePayload,
  setRelaysPayload,
  type RelayRecord,
  type SignedEntry,
} from './log-entry.ts'
import { sign } from './signature.ts'

/*
 * An account is its log: hash-chained, signed entries from which everybody computes the same devices and relays.
 * Invariants of a verified log, held by `log-chain.ts`:
 * 1. The account id is the hash of the genesis body, so the first device and the recovery key cannot be exchanged.
 * 2. Each body names the account and the hash of the body before it, so entries cannot be dropped, moved or reused.
 * 3. Each entry is signed by a device that the entries before it made a member; the genesis by its own device, with the
 *    consent of the recovery key.
 * 4. A device is replaced by itself alone: it signs the entry, the new device key consents, and from there on the old one
 *    is no device of the account and signs nothing more.
 * 5. No key comes back: the keys of a new device are none that ever stood in the log, the recovery key among them.
 * 6. Relays list mailboxes of listed devices only: those of a replaced device leave with it.
 */

const withinLimit = (log: Uint8Array): Uint8Array => {
  if (log.length > maxLogBytes) throw new ProtocolError('limit', `account log: over the limit of ${maxLogBytes} bytes`)
  return log
}

const encodeLog = (entries: SignedEntry[]): Uint8Array => withinLimit(accountLog.encode({ entries }))

const decodeEntries = (log: Uint8Array): SignedEntry[] => accountLog.decode(withinLimit(log)).entries

/**
 * A new account of one device. `recoverySecret` (32 bytes, Ed25519 seed) must be kept sealed until its 24 words exist.
 * `log` holds the genesis alone.
 */
export const createAccount = (
  { device, now, random }: { device: DeviceSecrets; now: number; random: Random },
  crypto: CryptoProvider = noble,
): { accountId: Uint8Array; log: Uint8Array; recoverySecret: Uint8Array } => {
  const recoverySecret = random(32)
  const recoveryKey = crypto.ed25519PublicKey(recoverySecret)
  const { deviceKey, identityKey } = device
  const payload = genesisPayload.encode({ device: { deviceKey, identityKey }, recoveryKey })
  const body = entryBody.encode({ type: entryTypes.genesis, createdAtMs: now, payload })
  const signatures = [
    { key: deviceKey, signature: sign(crypto, device.deviceSeed, 'Sotto_account_entry', [body]) },
    { key: recoveryKey, signature: sign(crypto, recoverySecret, 'Sotto_account_consent', [body]) },
  ]
  return { accountId: crypto.sha256(body), log: encodeLog([{ body, signatures }]), recoverySecret }
}

/**
 * Checks every entry and returns what they add up to. Pure: depends on the bytes alone.
 * @throws ProtocolError `malformed` or `limit` (shape), `conflict` (chain broken), `signature`, `version` (an entry only a
 * newer version knows).
 */
export const verifyAccountLog = (log: Uint8Array, crypto: CryptoProvider = noble): AccountView => {
  const [genesis, ...rest] = decodeEntries(log)
  if (genesis === undefined) return refuse('malformed', 'empty')
  return chainOf(genesis, rest, crypto).view
}

const chainOf = (genesis: SignedEntry, rest: readonly SignedEntry[], crypto: CryptoProvider): Chain =>
  rest.reduce((chain, entry) => append(chain, entry, crypto), begin(genesis, crypto))

/** The log with one more entry, checked as every reader will check it. */
const extend = (
  log: Uint8Array,
  { type, payload, now }: { type: number; payload: Uint8Array; now: number },
  signatures: (body: Uint8Array) => SignedEntry['signatures'],
  crypto: CryptoProvider,
): Uint8Array => {
  const [genesis, ...rest] = decodeEntries(log)
  if (genesis === undefined) return refuse('malformed', 'empty')
  const chain = chainOf(genesis, rest, crypto)
  const { accountId, head } = chain.view
  const body = entryBody.encode({ type, accountId, previous: head, createdAtMs: now, payload })
  const entry = { body, signatures: signatures(body) }
  append(chain, entry, crypto)
  return encodeLog([genesis, ...rest, entry])
}

/**
 * The log with one more entry that replaces the relays; the given log is untouched.
 * @throws ProtocolError as `verifyAccountLog`, for the log and for the new entry (`signature` when `device` is none of the
 * account's; `limit` when the log is full).
 */
export const setRelays = (
  log: Uint8Array,
  relays: RelayRecord[],
  { deviceKey, deviceSeed }: DeviceSecrets,
  now: number,
  crypto: CryptoProvider = noble,
): Uint8Array =>
  extend(
    log,
    { type: entryTypes.setRelays, payload: setRelaysPayload.encode({ relays }), now },
    (body) => [{ key: deviceKey, signature: sign(crypto, deviceSeed, 'Sotto_account_entry', [body]) }],
    crypto,
  )

/**
 * The log with one more entry that puts `next` in the place of `device`, whose mailboxes leave the list of relays; the
 * given log is untouched.
 * @throws ProtocolError as `verifyAccountLog`, for the log and for the new entry (`signature` when `device` is none of the
 * account's; `malformed` when a key of `next` stood in the log before; `limit` when the log is full).
 */
export const replaceDevice = (
  log: Uint8Array,
  device: DeviceSecrets,
  next: DeviceSecrets,
  now: number,
  crypto: CryptoProvider = noble,
): Uint8Array => {
  const { deviceKey, identityKey } = next
  return extend(
    log,
    {
      type: entryTypes.replaceDevice,
      payload: replaceDevicePayload.encode({ device: { deviceKey, identityKey } }),
      now,
    },
    (body) => [
      { key: device.deviceKey, signature: sign(crypto, device.deviceSeed, 'Sotto_account_entry', [body]) },
      { key: deviceKey, signature: sign(crypto, next.deviceSeed, 'Sotto_account_consent', [body]) },
    ],
    crypto,
  )
}

/**
 * The log as it was when `head` (32 bytes) was its head. For logs that `verifyAccountLog` accepted.
 * @throws ProtocolError `conflict` when it never was; `malformed`, `limit` or `version`.
 */
export const logUpTo = (log: Uint8Array, head: Uint8Array, crypto: CryptoProvider = noble): Uint8Array => {
  const entries = decodeEntries(log)
  const last = entries.findIndex(({ body }) => equalBytes(crypto.sha256(body), head))
  if (last < 0) return refuse('conflict', 'the head is none of this log')
  return encodeLog(entries.slice(0, last + 1))
}

/**
 * Whether `head` (32 bytes) is the hash of one of the log's entries: a log that was once seen with `head` may be replaced
 * by this one. Says nothing about signatures; for logs that `verifyAccountLog` accepted.
 * @throws ProtocolError `malformed`, `limit` or `version`.
 */
export const logExtends = (log: Uint8Array, head: Uint8Array, crypto: CryptoProvider = noble): boolean =>
  decodeEntries(log).some(({ body }) => equalBytes(crypto.sha256(body), head))
