import type { CryptoProvider } from '../crypto/provider.ts'
import { equalBytes, toHex } from '../wire/bytes.ts'
import { ProtocolError } from '../wire/error.ts'
import type { AccountView } from './account-view.ts'
import { deviceIdOf, type DeviceRecord } from './device.ts'
import {
  entryBody,
  entryTypes,
  genesisPayload,
  replaceDevicePayload,
  setRelaysPayload,
  type EntryBody,
  type RelayRecord,
  type SignedEntry,
} from './log-entry.ts'
import { verify } from './signature.ts'

/** How the entries of an account log follow one another; the invariants stand in `account-log.ts`. */

/** The log so far: what it adds up to, and every public key (hex) that ever stood in it. */
export interface Chain {
  readonly view: AccountView
  readonly keys: ReadonlySet<string>
}

export const refuse = (code: 'conflict' | 'malformed' | 'signature' | 'version', message: string): never => {
  throw new ProtocolError(code, `account log: ${message}`)
}

const listed = ({ deviceKey, identityKey }: Omit<DeviceRecord, 'deviceId'>, crypto: CryptoProvider): DeviceRecord => ({
  deviceId: deviceIdOf(deviceKey, crypto),
  deviceKey,
  identityKey,
})

/** The chain of a genesis alone. @throws ProtocolError `malformed`, `signature` or `version`. */
export const begin = ({ body, signatures }: SignedEntry, crypto: CryptoProvider): Chain => {
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
  const view = { accountId: hash, head: hash, length: 1, devices: [listed(device, crypto)], relays: [] }
  return { view, keys: new Set([device.deviceKey, device.identityKey, recoveryKey].map(toHex)) }
}

const checkChained = (view: AccountView, { type, accountId, previous }: EntryBody): void => {
  if (type === entryTypes.genesis) refuse('malformed', 'a second genesis')
  if (accountId === undefined || previous === undefined) return refuse('malformed', 'an entry outside the chain')
  if (!equalBytes(accountId, view.accountId)) refuse('conflict', 'an entry of another account')
  if (!equalBytes(previous, view.head)) refuse('conflict', 'an entry that does not follow the one before it')
}

/** The chain with one entry more. @throws ProtocolError `malformed`, `conflict`, `signature` or `version`. */
export const append = (chain: Chain, entry: SignedEntry, crypto: CryptoProvider): Chain => {
  const decoded = entryBody.decode(entry.body)
  checkChained(chain.view, decoded)
  const { setRelays, replaceDevice } = entryTypes
  // Reserved and unknown types may change who may sign what: nothing after them can be judged by this version.
  if (decoded.type !== setRelays && decoded.type !== replaceDevice) {
    return refuse('version', 'an entry of a newer version of Sotto')
  }
  const author = verifyAuthor(chain.view, entry, crypto)
  const next =
    decoded.type === setRelays ? relaysSet(chain, entry, decoded) : replaced(chain, entry, decoded, author, crypto)
  const { view } = next
  return { ...next, view: { ...view, head: crypto.sha256(entry.body), length: view.length + 1 } }
}

/** The device that signed the entry first. */
const verifyAuthor = (view: AccountView, { body, signatures }: SignedEntry, crypto: CryptoProvider): DeviceRecord => {
  const [author] = signatures
  const device = author && view.devices.find(({ deviceKey }) => equalBytes(deviceKey, author.key))
  if (!author || !device) return refuse('signature', 'signed by a key that is no device of the account')
  verify(crypto, author.signature, author.key, 'Sotto_account_entry', [body])
  return device
}

const relaysSet = (chain: Chain, { signatures }: SignedEntry, { payload }: EntryBody): Chain => {
  if (signatures.length > 1) return refuse('signature', 'an entry needs its author alone')
  const { relays } = setRelaysPayload.decode(payload)
  checkRelays(relays, chain.view.devices)
  return { ...chain, view: { ...chain.view, relays } }
}

const replaced = (
  { view, keys }: Chain,
  { body, signatures }: SignedEntry,
  { payload }: EntryBody,
  author: DeviceRecord,
  crypto: CryptoProvider,
): Chain => {
  const [, consent, ...others] = signatures
  if (consent === undefined || others.length > 0) return refuse('signature', 'a replacement needs two signatures')
  const { device } = replaceDevicePayload.decode(payload)
  if (!equalBytes(consent.key, device.deviceKey)) return refuse('signature', 'the new device did not consent')
  verify(crypto, consent.signature, consent.key, 'Sotto_account_consent', [body])
  const added = [device.deviceKey, device.identityKey].map(toHex)
  if (added.some((key) => keys.has(key))) return refuse('malformed', 'a key that stood in the account before')
  const isAuthor = ({ deviceId }: { readonly deviceId: Uint8Array }): boolean => equalBytes(deviceId, author.deviceId)
  const devices = view.devices.map((one) => (isAuthor(one) ? listed(device, crypto) : one))
  const relays = view.relays.map((relay) => ({ ...relay, mailboxes: relay.mailboxes.filter((one) => !isAuthor(one)) }))
  return { view: { ...view, devices, relays }, keys: new Set([...keys, ...added]) }
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
