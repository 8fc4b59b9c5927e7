import { expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { concatBytes, encodeUtf8 } from '../wire/bytes.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { refusalInFull } from '../wire/refusal.fixture.ts'
import { createDevice, decodeDeviceSecrets, encodeDeviceSecrets } from './device.ts'

const device = createDevice(seededRandom(1))

test('public keys and id follow from the secrets', () => {
  expect(device.deviceKey).toEqual(noble.ed25519PublicKey(device.deviceSeed))
  expect(device.identityKey).toEqual(noble.x25519PublicKey(device.identitySecret))
  const hash = noble.sha256(concatBytes(encodeUtf8('Sotto_device_id'), device.deviceKey))
  expect(device.deviceId).toEqual(hash.slice(0, 16))
})

test('secrets come back, and their record holds no public key that could be exchanged', () => {
  const record = encodeDeviceSecrets(device)
  expect(decodeDeviceSecrets(record)).toEqual(device)
  expect(record).toHaveLength(73)
})

test('another version and damage are refused', () => {
  const record = encodeDeviceSecrets(device)
  const newer = 'version: device-secrets: made by another version of Sotto'
  expect(refusalInFull(() => decodeDeviceSecrets(record.with(2, 9)))).toBe(newer)
  expect(refusalInFull(() => decodeDeviceSecrets(record.slice(0, -1)))).toBe(
    'malformed: not canonical CBOR: ends early',
  )
  const list = 'malformed: device-secrets.version: expected a number'
  expect(refusalInFull(() => decodeDeviceSecrets(Uint8Array.of(0x80)))).toBe(list)
  const short = { ...device, deviceSeed: new Uint8Array(31) }
  expect(refusalInFull(() => encodeDeviceSecrets(short))).toBe(
    'malformed: device-secrets.deviceSeed: expected 32 bytes',
  )
})
