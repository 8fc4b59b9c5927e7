import type { DecoderCase } from '../relay/calls.fixture.ts'
import { ProtocolError } from '../wire/error.ts'

/** Decoders with a fault each, for the test of the fuzzer. */

const refuse = (): never => {
  throw new ProtocolError('malformed', 'planted: refused')
}

/**
 * Throws what it must not behind five conditions of one byte each. None tells how near an input is, so random changes meet
 * all five once in 2^40; one after the other they are met within some ten thousand.
 */
const crashes = (bytes: Uint8Array): undefined => {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0] = bytes
  if (bytes.length < 12) refuse()
  if (a !== 0x53) refuse()
  if (d !== 0x7c) refuse()
  if (f !== (e ^ 0x5a)) refuse()
  if ((b ^ c) !== 0xc3) refuse()
  if (g === 0x9e) throw new RangeError('planted')
  return undefined
}

/** Takes 24 in one byte and in two. */
const twoEncodings = (bytes: Uint8Array): Uint8Array => {
  const [head, value] = bytes
  if (bytes.length === 1 && head !== undefined && head < 24) return bytes
  if (bytes.length !== 2 || head !== 24 || value === undefined) return refuse()
  return value < 24 ? Uint8Array.of(value) : bytes
}

/** Compares every byte with every other, behind a version. */
const quadratic = (bytes: Uint8Array): undefined => {
  if (bytes[0] !== 7) refuse()
  let pairs = 0
  for (const one of bytes) for (const other of bytes) if (one === other) pairs++
  return pairs < bytes.length ? refuse() : undefined
}

const changesItsInput = (bytes: Uint8Array): undefined => {
  if (bytes.length > 4) bytes[4] = 0
  return undefined
}

const planted = (
  name: string,
  sample: Uint8Array,
  recode: (bytes: Uint8Array) => Uint8Array | undefined,
): DecoderCase => ({ name, sample, recode })

export const crashCase = planted('crash', new Uint8Array(16), crashes)
export const twoEncodingsCase = planted('two encodings', Uint8Array.of(24, 200), twoEncodings)
export const quadraticCase = planted('quadratic', Uint8Array.of(7, 1, 2, 3), quadratic)
export const changingCase = planted('changes its input', Uint8Array.of(1, 2, 3, 4, 5), changesItsInput)
