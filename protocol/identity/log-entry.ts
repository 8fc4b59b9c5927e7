import { array, bytes, bytesUpTo, multiaddr, nested, optional, struct, uint, versioned } from '../wire/codec.ts'
import {
  maxAddressesPerRelay,
  maxAddressLength,
  maxDevicesPerAccount,
  maxLogBytes,
  maxRelaysPerAccount,
} from '../wire/limits.ts'

/**
 * The wire structs of an account log (`spec/identity.md`). What is hashed and signed is the encoded body, kept as bytes, so
 * that nobody ever has to re-encode what another device signed.
 */

/** Types of entries. A log that holds a reserved one needs a newer version of Sotto. */
export const entryTypes = {
  genesis: 0,
  setRelays: 1,
  /** Reserved. */
  addDevice: 2,
  replaceDevice: 3,
  /** Reserved, as are the next two. */
  removeDevice: 4,
  setRecoveryKey: 5,
  recover: 6,
} as const

const body = struct('account-entry-body', {
  type: [1, uint(0xff)],
  /** SHA-256 of the genesis body; absent in the genesis alone. */
  accountId: [2, optional(bytes(32))],
  /** SHA-256 of the body before this one; absent in the genesis alone. */
  previous: [3, optional(bytes(32))],
  /** Unix milliseconds by the author's clock; shown to people, never decided upon. */
  createdAtMs: [4, uint()],
  /** The struct of the entry's type. */
  payload: [5, bytesUpTo(maxLogBytes)],
})
export const entryBody = versioned('account-entry-body', 1, body)
export type EntryBody = ReturnType<typeof entryBody.decode>

/** An entry and who signed it: the author first, then each key that the entry introduces; 4 leaves room for both of a device. */
const signedEntry = struct('account-entry', {
  body: [0, bytesUpTo(maxLogBytes)],
  signatures: [1, array(nested(struct('entry-signature', { key: [0, bytes(32)], signature: [1, bytes(64)] })), 4, 1)],
})
export type SignedEntry = ReturnType<typeof signedEntry.decode>

/**
 * 256: bounds the work of verifying a log, a signature each and one more, whatever fits into its 64 KiB (from some 200 bytes an
 * entry).
 */
const maxEntries = 256

/** The whole log, genesis first. */
export const accountLog = versioned(
  'account-log',
  1,
  struct('account-log', { entries: [1, array(nested(signedEntry), maxEntries, 1)] }),
)

/** A device is listed with both its keys; its id is computed (`deviceIdOf`). */
const deviceKeys = struct('device', { deviceKey: [0, bytes(32)], identityKey: [1, bytes(32)] })

/** Signed by the device, with the consent of the recovery key. */
export const genesisPayload = struct('genesis', {
  device: [0, nested(deviceKeys)],
  /** Ed25519; its private half becomes the 24 words. */
  recoveryKey: [1, bytes(32)],
})

/** Signed by the device that it replaces, with the consent of the new device key. */
export const replaceDevicePayload = struct('replace-device', { device: [0, nested(deviceKeys)] })

/** Signed by any device of the account. Replaces the whole list. */
export const setRelaysPayload = struct('set-relays', {
  relays: [
    0,
    array(
      nested(
        struct('relay', {
          /** Ed25519 peer key. */
          relayKey: [0, bytes(32)],
          addresses: [1, array(multiaddr(maxAddressLength), maxAddressesPerRelay, 1)],
          mailboxes: [
            2,
            array(
              nested(struct('mailbox', { deviceId: [0, bytes(16)], mailboxId: [1, bytes(32)] })),
              maxDevicesPerAccount,
            ),
          ],
        }),
      ),
      maxRelaysPerAccount,
    ),
  ],
})
export type RelayRecord = ReturnType<typeof setRelaysPayload.decode>['relays'][number]
