import { expect, test } from 'vitest'
import { encodeFrame, FrameReader, FramingError } from './framing.ts'

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff)

test('lengths are unsigned varints', () => {
  expect([...encodeFrame(bytes(1)).subarray(0, 1)]).toEqual([1])
  expect([...encodeFrame(bytes(127)).subarray(0, 1)]).toEqual([127])
  expect([...encodeFrame(bytes(128)).subarray(0, 2)]).toEqual([0x80, 1])
  expect([...encodeFrame(bytes(300)).subarray(0, 2)]).toEqual([0xac, 2])
})

test('frames come out whole however the bytes are cut', () => {
  const frames = [0, 1, 127, 128, 5_000, 0, 3].map(bytes)
  const wire = frames.flatMap((frame) => [...encodeFrame(frame)])
  for (const size of [1, 2, 3, 7, 1_000, wire.length]) {
    const reader = new FrameReader(5_000)
    const got: Uint8Array[] = []
    for (let at = 0; at < wire.length; at += size) got.push(...reader.push(Uint8Array.from(wire.slice(at, at + size))))
    expect(got).toEqual(frames)
  }
})

test('many small pieces of a frame are joined, not kept one by one', () => {
  const frame = bytes(200)
  const wire = encodeFrame(frame)
  const reader = new FrameReader(5_000)
  const got = Array.from(wire, (_, at) => {
    const frames = reader.push(wire.subarray(at, at + 1))
    // What was joined no longer depends on the array it came in.
    if (at >= 64) wire.fill(0, 0, at - 64)
    return frames
  })
  expect(got.flat()).toEqual([frame])
})

test.each([
  ['a frame over the limit', [0x89, 0x27], 'too-large'],
  ['a length over five bytes', [0x80, 0x80, 0x80, 0x80, 0x80], 'malformed'],
  ['a length that is not at its shortest', [0x81, 0x00], 'malformed'],
])('%s is refused before its bytes are collected', (_name, wire, code) => {
  const reader = new FrameReader(5_000)
  expect(() => reader.push(Uint8Array.from(wire))).toThrow(expect.objectContaining({ name: 'FramingError', code }))
  expect(new FramingError('malformed', 'x')).toBeInstanceOf(Error)
})
