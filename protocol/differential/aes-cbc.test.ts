import { cbc } from '@noble/ciphers/aes.js'
import { expect, test } from 'vitest'
import { wycheproof } from '../crypto/vectors.fixture.ts'
import { fromHex, toHex } from '../wire/bytes.ts'

test('AES-CBC, which the profile of python-doubleratchet seals with: Wycheproof', () => {
  for (const t of wycheproof<{ key: string; iv: string; msg: string; ct: string }>('aes_cbc_pkcs5')) {
    const cipher = () => cbc(fromHex(t.key), fromHex(t.iv))
    if (t.result === 'valid') {
      expect(toHex(cipher().encrypt(fromHex(t.msg))), `tcId ${t.tcId}`).toBe(t.ct)
      expect(toHex(cipher().decrypt(fromHex(t.ct))), `tcId ${t.tcId}`).toBe(t.msg)
    } else expect(() => cipher().decrypt(fromHex(t.ct)), `tcId ${t.tcId}`).toThrow()
  }
})
