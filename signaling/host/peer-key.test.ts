import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { afterEach, expect, test, vi } from 'vitest'
import { fromHex, toHex } from '../../protocol/wire/bytes.ts'
import { privateKeyOfSeed, throwawayKey } from './peer-key.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const random = (length: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(length))

test('the key of a seed is that of RFC 8032, section 7.1, test 1', async () => {
  const { publicKey } = await privateKeyOfSeed(
    fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'),
  )
  expect(toHex(publicKey.raw)).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')
})

test('the platform and the library make the same key of a seed', async () => {
  for (let i = 0; i < 20; i++) {
    const seed = random(32)
    const own = await privateKeyOfSeed(seed)
    expect(own.equals(await generateKeyPairFromSeed('Ed25519', seed))).toBe(true)
  }
})

test('a throwaway key signs what its public key verifies, and is another each time', async () => {
  const [one, other] = [await throwawayKey(), await throwawayKey()]
  const signature = await one.sign(fromHex('00ff'))
  expect(await one.publicKey.verify(fromHex('00ff'), signature)).toBe(true)
  expect(one.equals(other)).toBe(false)
})

test('where the platform does not know the curve the library makes the key', async () => {
  const unknown = new DOMException('no such algorithm', 'NotSupportedError')
  vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(unknown)
  vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValue(unknown)
  const seed = random(32)
  const [own, same, another] = [
    await privateKeyOfSeed(seed),
    await generateKeyPairFromSeed('Ed25519', seed),
    await throwawayKey(),
  ]
  expect(own.equals(same)).toBe(true)
  expect(another.type).toBe('Ed25519')
})
