import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { encodeCanonical } from '../wire/cbor.ts'
import { seededRandom } from '../wire/random.fixture.ts'
import { refusalInFull } from '../wire/refusal.fixture.ts'
import { readSafetyCode, safetyNumber } from './safety-number.ts'

const random = seededRandom(1)
const alice = { accountId: random(32), head: random(32) }
const bob = { accountId: random(32), head: random(32) }

/** The definition of the specification, written a second time over Node's own SHA-512. */
const expectedDigits = (accountId: Uint8Array): string => {
  let hash = Buffer.concat([Buffer.from('Sotto_safety_number'), Buffer.of(1), accountId])
  for (let i = 0; i < 5_200; i++) hash = createHash('sha512').update(hash).update(accountId).digest()
  return [0, 5, 10, 15, 20, 25].map((at) => String(hash.readUIntBE(at, 5) % 100_000).padStart(5, '0')).join('')
}

describe('safety number', () => {
  const number = safetyNumber(alice, bob)

  test('is the same on both sides, 60 digits', () => {
    expect(safetyNumber(bob, alice)).toEqual(number)
    expect(number.digits).toMatch(/^\d{60}$/)
  })

  test('follows the specification', () => {
    const sorted = [alice, bob].sort((a, b) => Buffer.compare(a.accountId, b.accountId))
    expect(number.digits).toBe(sorted.map(({ accountId }) => expectedDigits(accountId)).join(''))
  })

  test('keeps zeros at the front of a group', () => {
    // Found by search: the first group of this account is 03246.
    const accountId = new Uint8Array(32).fill(24)
    expect(expectedDigits(accountId)).toMatch(/^0/)
    expect(safetyNumber({ accountId, head: accountId }, bob).digits).toContain(expectedDigits(accountId))
  })

  test('changes with an account, not with a head', () => {
    const other = { ...bob, accountId: bob.accountId.with(31, (bob.accountId[31] ?? 0) ^ 1) as Uint8Array }
    expect(safetyNumber(alice, other).digits).not.toBe(number.digits)
    const moved = safetyNumber(alice, { ...bob, head: alice.head })
    expect(moved.digits).toBe(number.digits)
    expect(moved.qr).not.toEqual(number.qr)
  })

  test('the QR payload carries both accounts and heads, the lower account first', () => {
    const [low, high] = [alice, bob].sort((a, b) => Buffer.compare(a.accountId, b.accountId)) as [
      typeof bob,
      typeof bob,
    ]
    expect(number.qr).toEqual(encodeCanonical([1, low.accountId, low.head, high.accountId, high.head]))
  })
})

describe('a code that was read', () => {
  const [low, high] = [alice, bob].sort((a, b) => Buffer.compare(a.accountId, b.accountId)) as [
    typeof alice,
    typeof bob,
  ]
  const { qr } = safetyNumber(alice, bob)

  test('names both sides', () => {
    expect(readSafetyCode(qr)).toEqual([low, high])
  })

  const noCode = 'malformed: safety number: not the code of one'
  const noPair = 'malformed: safety number: not two accounts, the lower one first'
  const short = low.head.slice(1)

  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'malformed: not canonical CBOR: ends early'],
    ['text', encodeCanonical('https://example.org/'), noCode],
    ['a list of texts', encodeCanonical(['1']), noCode],
    ['a number', encodeCanonical(1), noCode],
    [
      'another version',
      encodeCanonical([2, low.accountId, low.head, high.accountId, high.head]),
      'version: safety number: made by another version of Sotto',
    ],
    ['one side', encodeCanonical([1, low.accountId, low.head]), noPair],
    ['a short lower id', encodeCanonical([1, low.accountId.slice(1), low.head, high.accountId, high.head]), noPair],
    ['a short lower head', encodeCanonical([1, low.accountId, short, high.accountId, high.head]), noPair],
    ['a short higher id', encodeCanonical([1, low.accountId, low.head, high.accountId.slice(1), high.head]), noPair],
    ['a short higher head', encodeCanonical([1, low.accountId, low.head, high.accountId, short]), noPair],
    ['a head of text', encodeCanonical([1, low.accountId, 'h'.repeat(32), high.accountId, high.head]), noPair],
    ['the higher side first', encodeCanonical([1, high.accountId, high.head, low.accountId, low.head]), noPair],
    ['one account twice', encodeCanonical([1, low.accountId, low.head, low.accountId, low.head]), noPair],
    ['something after it', encodeCanonical([1, low.accountId, low.head, high.accountId, high.head, 0]), noPair],
  ])('is refused when it is %s', (_, code, expected) => {
    expect(refusalInFull(() => readSafetyCode(code))).toBe(expected)
  })
})
