import type { CryptoProvider } from '../crypto/provider.ts'
import { noble } from '../crypto/noble-provider.ts'
import type { Random } from '../wire/brand.ts'
import { equalBytes, toHex } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import { maxLogBytes } from '../wire/limits.ts'
import { deviceIdOf, type DeviceRecord, type DeviceSecrets } from './device.ts'
import {
  accountLog,
  entryBody,
  entryTypes,
  genesisPayload,
  setRelaysPayload,
  type EntryBody,
  type RelayRecord,
  type SignedEntry,
} from './log-entry.ts'
import { sign, verify } from './signature.ts'

/**
 * An account is its log: hash-chained, signed entries from which everybody computes the same devices and relays.
 * Invariants of a verified log:
 * 1. The account id is the hash of the genesis body, so the first device and the recovery key cannot be exchanged.
 * 2. Each body names the account and the hash of the body before it, so entries cannot be dropped, moved or reused.
 * 3. Each entry is signed by a device that the entries before it made a member; the genesis by its own device, with the
 *    consent of the recovery key.
 */
export interface AccountView {
  /** 32 bytes: SHA-256 of the genesis body. */
  readonly accountId: Uint8Array
  /** 32 bytes: SHA-256 of the last body; equals `accountId` in a log of one entry. */
  readonly head: Uint8Array
  /** Number of entries. */
  readonly length: number
  readonly devices: readonly DeviceRecord[]
  readonly relays: readonly RelayRecord[]
}

const refuse = (code: 'conflict' | 'malformed' | 'signature' | 'version', message: string): never => {
  throw new ProtocolError(code, `account log: ${message}`)
}

const encodeLog = (entries: SignedEntry[]): Uint8Array => {
  const log = accountLog.encode({ entries })
  if (log.length > maxLogBytes) throw new ProtocolError('limit', `account log: over the limit of ${maxLogBytes} bytes`)
  return log
}

const decodeEntries = (log: Uint8Array): SignedEntry[] => {
  if (log.length > maxLogBytes) throw new ProtocolError('limit', `account log: over the limit of ${maxLogBytes} bytes`)
  return accountLog.decode(log).entries
}

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
  return rest.reduce((view, entry) => append(view, entry, crypto), begin(genesis, crypto))
}

const begin = ({ body, signatures }: SignedEntry, crypto: CryptoProvider): AccountView => {
  const { type, accountId, previous, payload } = entryBody.decode(body)
  if (type !== entryTypes.genesis || accountId !== undefined || previous !== undefined) {
    return refuse('malformed', 'does not begin with a genesis')
  }
  const { device, recoveryKey } = genesisPayload.decode(payload)
  const [author, consent, ...others] = signatures
  if (author === undefined || consent === undefined || others.length > 0) {
    return refuse('signature', 'the genesis needs two signatures')
  }
  if (equalBytes(device.deviceKey, recoveryKey)) return refuse('malformed', 'the recovery key is the device key')
  if (!equalBytes(author.key, device.deviceKey)) return refuse('signature', 'the genesis is not signed by its device')
  if (!equalBytes(consent.key, recoveryKey)) return refuse('signature', 'the recovery key did not consent')
  verify(crypto, author.signature, author.key, 'Sotto_account_entry', [body])
  verify(crypto, consent.signature, consent.key, 'Sotto_account_consent', [body])
  const hash = crypto.sha256(body)
  const devices = [{ deviceId: deviceIdOf(device.deviceKey, crypto), ...device }]
  return { accountId: hash, head: hash, length: 1, devices, relays: [] }
}

const checkChained = (view: AccountView, { type, accountId, previous }: EntryBody): void => {
  if (type === entryTypes.genesis) refuse('malformed', 'a second genesis')
  if (accountId === undefined || previous === undefined) return refuse('malformed', 'an entry outside the chain')
  if (!equalBytes(accountId, view.accountId)) refuse('conflict', 'an entry of another account')
  if (!equalBytes(previous, view.head)) refuse('conflict', 'an entry that does not follow the one before it')
}

const append = (view: AccountView, { body, signatures }: SignedEntry, crypto: CryptoProvider): AccountView => {
  const decoded = entryBody.decode(body)
  checkChained(view, decoded)
  // Reserved and unknown types may change who may sign what: nothing after them can be judged by this version.
  if (decoded.type !== entryTypes.setRelays) return refuse('version', 'an entry of a newer version of Sotto')
  const [author, ...others] = signatures
  if (author === undefined || others.length > 0) return refuse('signature', 'an entry needs its author alone')
  if (!view.devices.some(({ deviceKey }) => equalBytes(deviceKey, author.key))) {
    return refuse('signature', 'signed by a key that is no device of the account')
  }
  verify(crypto, author.signature, author.key, 'Sotto_account_entry', [body])
  const { relays } = setRelaysPayload.decode(decoded.payload)
  checkRelays(relays, view.devices)
  return { ...view, head: crypto.sha256(body), length: view.length + 1, relays }
}

const checkDistinct = (ids: readonly Uint8Array[], what: string): void => {
  if (new Set(ids.map(toHex)).size !== ids.length) refuse('malformed', `${what} listed twice`)
}

const checkRelays = (relays: readonly RelayRecord[], devices: readonly DeviceRecord[]): void => {
  checkDistinct(
    relays.map(({ relayKey }) => relayKey),
    'a relay',
  )
  for (const { mailboxes } of relays) {
    checkDistinct(
      mailboxes.map(({ deviceId }) => deviceId),
      'a device',
    )
    for (const mailbox of mailboxes) {
      if (!devices.some(({ deviceId }) => equalBytes(deviceId, mailbox.deviceId))) {
        refuse('malformed', 'a mailbox of a device that is not in the account')
      }
    }
  }
}

/**
 * The log with one more entry that replaces the relays; the given log is untouched.
 * @throws ProtocolError as `verifyAccountLog`, for the log and for the new entry (`signature` when `device` is none of the
 * account's; `limit` when the log is full).
 */
export const setRelays = (
  log: Uint8Array,
  relays: RelayRecord[],
  device: DeviceSecrets,
  now: number,
  crypto: CryptoProvider = noble,
): Uint8Array => {
  const view = verifyAccountLog(log, crypto)
  const body = entryBody.encode({
    type: entryTypes.setRelays,
    accountId: view.accountId,
    previous: view.head,
    createdAtMs: now,
    payload: setRelaysPayload.encode({ relays }),
  })
  const entry = {
    body,
    signatures: [{ key: device.deviceKey, signature: sign(crypto, device.deviceSeed, 'Sotto_account_entry', [body]) }],
  }
  append(view, entry, crypto)
  return encodeLog([...decodeEntries(log), entry])
}

/**
 * Whether `head` (32 bytes) is the hash of one of the log's entries: a log that was once seen with `head` may be replaced
 * by this one. Says nothing about signatures; for logs that `verifyAccountLog` accepted.
 * @throws ProtocolError `malformed`, `limit` or `version`.
 */
export const logExtends = (log: Uint8Array, head: Uint8Array, crypto: CryptoProvider = noble): boolean =>
  decodeEntries(log).some(({ body }) => equalBytes(crypto.sha256(body), head))
