import { expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { concatBytes, encodeUtf8 } from '../wire/bytes.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { refusal } from '../wire/refusal.fixture.ts'
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
  expect(refusal(() => decodeDeviceSecrets(record.with(2, 9) as Uint8Array))).toBe('version')
  expect(refusal(() => decodeDeviceSecrets(record.slice(0, -1)))).toBe('malformed')
})
