import { expect, test } from 'vitest'
import { noble } from '../crypto/noble-provider.ts'
import { encodeCanonical } from '../wire/cbor.ts'
import { refusalInFull } from '../wire/refusal.fixture.ts'
import { sign, verify, type SignatureDomain } from './signature.ts'

const seed = new Uint8Array(32).fill(7)
const key = noble.ed25519PublicKey(seed)
const parts = [5, 'x', Uint8Array.of(1)]
const domains: SignatureDomain[] = ['Sotto_account_entry', 'Sotto_account_consent', 'Sotto_prekey']

test.each(domains)('%s: an Ed25519 signature over CBOR [domain, …parts]', (domain) => {
  const signature = sign(noble, seed, domain, parts)
  expect(signature).toEqual(noble.ed25519Sign(seed, encodeCanonical([domain, ...parts])))
  expect(refusalInFull(() => verify(noble, signature, key, domain, parts))).toBe('accepted')
})

test.each(domains)('%s: verifies for nothing else', (domain) => {
  const signature = sign(noble, seed, domain, parts)
  const refused = (other: SignatureDomain) => `signature: ${other}: the signature does not verify`
  for (const other of domains.filter((name) => name !== domain))
    expect(refusalInFull(() => verify(noble, signature, key, other, parts))).toBe(refused(other))
  for (const others of [[], parts.slice(1), parts.toReversed(), [...parts, 0], [parts]])
    expect(refusalInFull(() => verify(noble, signature, key, domain, others))).toBe(refused(domain))
  const stranger = noble.ed25519PublicKey(seed.with(0, 8))
  expect(refusalInFull(() => verify(noble, signature, stranger, domain, parts))).toBe(refused(domain))
})
