import { assert, integer, property, uint8Array } from 'fast-check'
import { expect, test } from 'vitest'
import { refusalInFull } from '../wire/refusal.fixture.ts'
import { pad, paddedLength, unpad } from './padding.ts'

test('Padmé buckets, never under 256 bytes', () => {
  expect([0, 1, 256, 257, 272, 273, 512, 513, 1_000, 65_535].map(paddedLength)).toEqual([
    ...[256, 256, 256, 272, 272, 288, 512, 544, 1_024, 65_536],
  ])
})

test('at most 12 % are added, and few lengths remain', () => {
  const buckets = new Set<number>()
  for (let length = 256; length <= 65_536; length++) {
    const bucket = paddedLength(length)
    buckets.add(bucket)
    if (bucket < length || bucket > length * 1.12 || paddedLength(bucket) !== bucket) expect.fail(`length ${length}`)
  }
  expect(buckets.size).toBe(129)
})

test('content comes back, whatever it ends with', () => {
  assert(
    property(uint8Array({ maxLength: 300 }), integer({ min: 1, max: 300 }), (content, more) => {
      const padded = pad(content, content.length + more)
      expect(padded).toHaveLength(content.length + more)
      expect(unpad(padded)).toEqual(content)
    }),
  )
  expect(unpad(pad(Uint8Array.of(0x80, 0, 0), 9))).toEqual(Uint8Array.of(0x80, 0, 0))
})

test('no end mark, no room for one', () => {
  for (const bytes of [[], [0, 0], [1, 0], [0x80, 1], [1]])
    expect(refusalInFull(() => unpad(Uint8Array.from(bytes)))).toBe('malformed: padding has no end mark')
  expect(unpad(Uint8Array.of(0x80))).toHaveLength(0)
  const full = 'limit: no room for the end mark of the padding'
  for (const length of [0, 3, 4]) expect(refusalInFull(() => pad(new Uint8Array(4), length))).toBe(full)
  expect([...pad(Uint8Array.of(1, 2), 3)]).toEqual([1, 2, 0x80])
})
