import { array, bytes, nested, struct, uint } from '../wire/codec.ts'
import { maxDevicesPerAccount } from '../wire/limits.ts'
import { prekeyBundle, signedPublicKey } from '../identity/prekeys.ts'

/** Calls of `/sotto/prekeys/1`: `publish`, `fetch`, `count`. */
export const prekeysProtocol = '/sotto/prekeys/1'

/** 50 per call: with ML-KEM keys about 65 KB, so a call stays far under a frame. */
export const maxPrekeysPerCall = 50

/**
 * `publish`: adds one-time prekeys and replaces signed and last-resort ones by newer (by id). The caller's peer key must be
 * the device's key in the stored account log; every signature is checked. Publishing the same key twice is a yes and adds
 * nothing. Answer: `prekeyCount`. Refusals: `bad-request`, `not-owner`, `too-large`, `overloaded`.
 */
export const publishPrekeysParams = struct('publish-prekeys', {
  accountId: [0, bytes(32)],
  deviceId: [1, bytes(16)],
  prekeys: [2, array(nested(signedPublicKey), maxPrekeysPerCall)],
})

/** `count`: one-time prekeys still there, of the caller's device. Answer of `publish` and `count`. */
export const countPrekeysParams = struct('count-prekeys', { accountId: [0, bytes(32)], deviceId: [1, bytes(16)] })
export const prekeyCount = struct('prekey-count', { oneTime: [0, uint()], oneTimeKem: [1, uint()] })

/**
 * A push to the device, on the stream it last called `publish` or `count` on: one of its kinds has fallen below 20. Once, until
 * it calls either again.
 */
export const prekeysLowPush = struct('prekeys-low', {
  accountId: [0, bytes(32)],
  deviceId: [1, bytes(16)],
  left: [2, nested(prekeyCount)],
})

/**
 * `fetch`: a bundle per device of the account, each one-time prekey handed out once, ever; without one when they are used
 * up. Refusals: `not-found`, `slow-down` (per asker and target).
 */
export const fetchPrekeysParams = struct('fetch-prekeys', { accountId: [0, bytes(32)] })
export const fetchPrekeysResult = struct('bundles', { bundles: [0, array(nested(prekeyBundle), maxDevicesPerAccount)] })
