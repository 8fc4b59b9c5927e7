import { expect, test } from 'vitest'
import * as limits from './limits.ts'

test('limits are part of the protocol: none changes unseen', () => {
  expect({ ...limits }).toEqual({
    kib: 1_024,
    secondMs: 1_000,
    minuteMs: 60_000,
    hourMs: 3_600_000,
    dayMs: 86_400_000,
    maxEnvelopeBytes: 65_536,
    mailboxRetentionMs: 2_592_000_000,
    signedPrekeyRotationMs: 172_800_000,
    signedPrekeyRetentionMs: 3_888_000_000,
    oneTimePrekeysPerRelay: 100,
    oneTimePrekeysLow: 20,
    maxTextBytes: 16_384,
    maxNameLength: 64,
    maxAddressLength: 512,
    maxAddressesPerRelay: 8,
    maxRelaysPerAccount: 3,
    maxLogBytes: 65_536,
    maxDevicesPerAccount: 16,
    maxIdsPerCall: 500,
  })
})
