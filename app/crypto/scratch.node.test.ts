import start from 'libsodium'
import { expect, test } from 'vitest'
import { maxInputBytes, Scratch, scratchBytes } from './scratch.ts'

const sodium = await start()

test('what a call put into the memory is gone when it ends, also when it throws', () => {
  const scratch = new Scratch(sodium)
  const secret = new Uint8Array(45).fill(0xa5)
  let at = 0
  scratch.use(() => {
    at = scratch.put(secret)
    scratch.copy(at, scratch.take(45), 45)
    expect(scratch.read(at, 45)).toEqual(secret)
    expect(scratch.read(at + 48, 45)).toEqual(secret)
  })
  expect(scratch.read(at, 96)).toEqual(new Uint8Array(96))
  const fail = () =>
    scratch.use(() => {
      scratch.put(secret)
      throw new Error('refused')
    })
  expect(fail).toThrow('refused')
  expect(scratch.read(at, 96)).toEqual(new Uint8Array(96))
})

test('a call has the whole region and not a byte more', () => {
  const scratch = new Scratch(sodium)
  const first = scratch.use(() => scratch.take(scratchBytes))
  expect(scratch.use(() => scratch.put(new Uint8Array(maxInputBytes), scratchBytes - maxInputBytes))).toBe(first)
  expect(() => scratch.use(() => scratch.take(scratchBytes + 1))).toThrow(RangeError)
  expect(scratch.use(() => scratch.take(1))).toBe(first)
})

test('two regions do not meet, and the memory may grow under them', () => {
  const [one, two] = [new Scratch(sodium), new Scratch(sodium)]
  const [before, secret] = [sodium.HEAPU8, Uint8Array.of(1, 2, 3)]
  one.use(() => {
    const at = one.put(secret)
    two.use(() => two.put(new Uint8Array(scratchBytes).fill(9)))
    expect(sodium._malloc(before.length)).not.toBe(0)
    expect(sodium.HEAPU8.length).toBeGreaterThan(before.length)
    expect(one.read(at, 3)).toEqual(secret)
  })
})

test('without memory there is no region', () => {
  expect(() => new Scratch({ ...sodium, _malloc: () => 0 })).toThrow('no memory')
})
