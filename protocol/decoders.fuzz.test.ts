import { describe, expect, test } from 'vitest'
import { decoderCases as cases } from './decoders.fixture.ts'
import type { DecoderCase } from './relay/calls.fixture.ts'
import { toHex } from './wire/bytes.ts'
import { hostileInputs } from './wire/fuzz.fixture.ts'
import { refusal } from './wire/refusal.fixture.ts'

/** 10,000 per decoder: each code path of a decoder is reached many times, in about a second. */
const inputsPerDecoder = 10_000

/** Half a second: fifty times the dearest step, an answered handshake. Nothing may grow with what is claimed. */
const longestMs = 500

const samples = cases.map(({ sample }) => sample)

const timed = (run: () => unknown): number => {
  const before = performance.now()
  run()
  return performance.now() - before
}

const decodeInTime = ({ recode }: DecoderCase, input: Uint8Array): string => {
  let again: Uint8Array | undefined
  let code = ''
  const decode = (): void => {
    code = refusal(() => (again = recode(input)))
  }
  // A busy machine may stop once in a while; an input that is slow is slow again.
  if (timed(decode) > longestMs && timed(decode) > longestMs) throw new Error(`slow: ${toHex(input)}`)
  if (again !== undefined && toHex(again) !== toHex(input)) throw new Error(`a second encoding: ${toHex(input)}`)
  return code
}

describe.each(cases)('$name', (decoder) => {
  test('accepts its sample', () => {
    expect(decodeInTime(decoder, decoder.sample)).toBe('accepted')
  })

  test('hostile inputs end in a ProtocolError, soon', { timeout: 60_000 }, () => {
    const seen = new Map<string, number>()
    for (const input of hostileInputs([decoder.sample, ...samples], inputsPerDecoder / 2, 1)) {
      const code = decodeInTime(decoder, input)
      seen.set(code, (seen.get(code) ?? 0) + 1)
    }
    for (const input of hostileInputs([decoder.sample], inputsPerDecoder / 2, 2)) {
      const code = decodeInTime(decoder, input)
      seen.set(code, (seen.get(code) ?? 0) + 1)
    }
    expect([...seen.values()].reduce((sum, n) => sum + n)).toBe(inputsPerDecoder)
    expect([...seen.keys()].some((code) => code !== 'accepted')).toBe(true)
  })

  test('every other kind of blob ends in a ProtocolError, or is what it says', () => {
    const codes = samples.map((sample) => decodeInTime(decoder, sample))
    expect(codes).toContain('accepted')
  })
})
