import { array, constantFrom, integer, oneof, type Arbitrary } from 'fast-check'

/** Any code point, also halves of surrogate pairs; what does harm in names comes often. */
const codePoint = oneof(
  integer({ min: 0x20, max: 0x24f }),
  integer({ min: 0, max: 0x10_ffff }),
  constantFrom(
    0x00,
    0x0a,
    0xa0,
    0x308,
    0x61c,
    0x200d,
    0x200e,
    0x2028,
    0x202e,
    0x2066,
    0x2069,
    0xd800,
    0xdc00,
    0xfeff,
    0x1f469,
  ),
)

/** Any text, well-formed or not, of at most `maxLength` code points. For tests only. */
export const anyText = (maxLength: number, minLength = 0): Arbitrary<string> =>
  array(codePoint, { maxLength, minLength }).map((points) => String.fromCodePoint(...points))

/** Any text that UTF-8 can carry, of at most `maxLength` code points. For tests only. */
export const wellFormedText = (maxLength: number, minLength = 0): Arbitrary<string> =>
  anyText(maxLength, minLength).map((text) => text.toWellFormed())
