import { expect, it } from 'vitest'
import vectors from '../../protocol/vectors/wycheproof/aes_gcm_test.json?raw'
import { concatBytes, fromHex, toHex } from '../../protocol/wire/bytes.ts'

interface GcmTest {
  readonly tcId: number
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
  readonly result: 'valid' | 'invalid'
}

const { testGroups } = JSON.parse(vectors) as { testGroups: readonly { readonly tests: readonly GcmTest[] }[] }

it('AES-256-GCM of this browser, which the device lock wraps with: Wycheproof', async () => {
  for (const t of testGroups.flatMap(({ tests }) => tests)) {
    const key = await crypto.subtle.importKey('raw', fromHex(t.key).slice(), 'AES-GCM', false, ['encrypt', 'decrypt'])
    const parameters = { name: 'AES-GCM', iv: fromHex(t.iv).slice(), additionalData: fromHex(t.aad).slice() }
    const sealed = concatBytes(fromHex(t.ct), fromHex(t.tag)).slice()
    if (t.result === 'valid') {
      const encrypted = await crypto.subtle.encrypt(parameters, key, fromHex(t.msg).slice())
      expect(toHex(new Uint8Array(encrypted)), `tcId ${t.tcId}`).toBe(t.ct + t.tag)
      const opened = await crypto.subtle.decrypt(parameters, key, sealed)
      expect(toHex(new Uint8Array(opened)), `tcId ${t.tcId}`).toBe(t.msg)
    } else {
      await expect(crypto.subtle.decrypt(parameters, key, sealed), `tcId ${t.tcId}`).rejects.toBeInstanceOf(
        DOMException,
      )
    }
  }
})
