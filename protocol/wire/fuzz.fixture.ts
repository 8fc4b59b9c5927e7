import { concatBytes } from './bytes.ts'
import { seededNumbers } from './random.fixture.ts'

/** Heads that claim much, nest deeply or end early. */
const nasty = [
  [0x9b, 255, 255, 255, 255, 255, 255, 255, 255],
  [0x5b, 0, 31, 255, 255, 255, 255, 255, 255],
  [0x5a, 127, 255, 255, 255],
  [0xba, 0, 1, 0, 0],
  [0x5f],
  [0xff],
  [0xf9, 0x3c, 0x00],
  [0x62, 0xc3, 0x28],
  [0xa1, 0x69, 0x5f, 0x5f, 0x70, 0x72, 0x6f, 0x74, 0x6f, 0x5f, 0x5f],
  Array.from({ length: 2_000 }, () => 0x81),
  Array.from({ length: 2_000 }, () => 0xa1),
].map((bytes) => Uint8Array.from(bytes))

/** A whole number from 0 (inclusive) to `below`. */
export type Pick = (below: number) => number

/** The same picks for the same seed. */
export const seededPick = (seed: number): Pick => {
  const next = seededNumbers(seed)
  return (below) => Math.floor(next() * below)
}

export const randomBytes = (length: number, pick: Pick): Uint8Array => Uint8Array.from({ length }, () => pick(256))

const flip = (bytes: Uint8Array, mask: number, pick: Pick): Uint8Array => {
  const out = bytes.slice()
  const at = pick(out.length)
  out[at] = (out[at] ?? 0) ^ mask
  return out
}

/** One mutation of `bytes`; splices take from `samples`. */
export const mutateBytes = (bytes: Uint8Array, samples: readonly Uint8Array[], pick: Pick): Uint8Array => {
  const at = pick(bytes.length + 1)
  const end = at + pick(bytes.length - at + 1)
  switch (pick(8)) {
    case 0:
      return flip(bytes, 1 << pick(8), pick)
    case 1:
      return flip(bytes, 1 + pick(255), pick)
    case 2:
      return bytes.slice(0, at)
    case 3:
      return concatBytes(bytes.subarray(0, at), bytes.subarray(end))
    case 4:
      return concatBytes(bytes.subarray(0, end), bytes.subarray(at))
    case 5:
      return concatBytes(bytes.subarray(0, at), randomBytes(1 + pick(9), pick), bytes.subarray(at))
    case 6:
      return concatBytes(bytes.subarray(0, at), nasty[pick(nasty.length)] as Uint8Array, bytes.subarray(end))
    default:
      return concatBytes(bytes.subarray(0, at), (samples[pick(samples.length)] as Uint8Array).subarray(at))
  }
}

/**
 * `count` hostile inputs, the same for the same seed: a tenth plain noise, the rest one to four mutations of a sample
 * (flipped bits, cuts, repeats, insertions, splices, heads that claim too much). For tests only.
 */
export function* hostileInputs(samples: readonly Uint8Array[], count: number, seed: number): Generator<Uint8Array> {
  const pick = seededPick(seed)
  for (let i = 0; i < count; i++) {
    if (i % 10 === 0) {
      yield randomBytes(pick(400), pick)
      continue
    }
    let bytes = samples[pick(samples.length)] as Uint8Array
    for (let n = 1 + pick(4); n > 0; n--) bytes = mutateBytes(bytes, samples, pick)
    yield bytes
  }
}
