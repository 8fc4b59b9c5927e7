import * as fc from 'fast-check'
import type { StoredKey } from './sealing.ts'

const bytes = fc.uint8Array({ maxLength: 4 }).map((value) => value.slice())
/** Few different values, so that keys often share their beginnings. */
const few = fc.constantFrom<StoredKey[number]>(0, 1, -1, 0.5, Uint8Array.of(), Uint8Array.of(0), Uint8Array.of(0, 255))

/** Any key a store may hold. */
export const storedKey: fc.Arbitrary<StoredKey> = fc.array(
  fc.oneof(few, bytes, fc.double({ noNaN: true }), fc.integer()),
  { maxLength: 4 },
)
