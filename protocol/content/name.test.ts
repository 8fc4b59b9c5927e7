import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maxNameLength } from '../wire/limits.ts'
import { anyText } from '../wire/text.fixture.ts'
import { cleanName } from './name.ts'

test.each([
  ['spaces at the ends', '  Alice \n', 'Alice'],
  ['runs of white space', 'Alice\t\u00A0 \u3000Smith', 'Alice Smith'],
  ['line and paragraph separators', 'Alice\u2028\u2029Smith', 'Alice Smith'],
  ['control characters', 'Al\u0000ice\u0007\u009F', 'Al ice'],
  ['direction override', 'Alice\u202Egpj.exe', 'Alicegpj.exe'],
  ['isolates and marks', '\u2066A\u2069\u200E\u200F\u061Cb', 'Ab'],
  ['byte order mark', '\uFEFFAlice', 'Alice'],
  ['lone surrogates', 'A\uD800l\uDC00ice', 'Alice'],
  ['decomposed letters', 'Zoe\u0308', 'Zoë'],
  ['letters that compose once a control between them is gone', 'Zoe\u202E\u0308', 'Zoë'],
  ['nothing but controls', '\u202E\u2069\n', ''],
  ['emoji with joiners', '👩‍👩‍👧', '👩‍👩‍👧'],
  ['Persian with a non-joiner', 'می\u200Cخواهم', 'می\u200Cخواهم'],
])('%s', (_, given, expected) => {
  expect(cleanName(given)).toBe(expected)
})

test('long names end before the limit, never inside a surrogate pair', () => {
  expect(cleanName('x'.repeat(100))).toBe('x'.repeat(maxNameLength))
  expect(cleanName(`x${'💡'.repeat(40)}`)).toBe(`x${'💡'.repeat(31)}`)
  expect(cleanName(`${'x'.repeat(63)} y`)).toBe('x'.repeat(63))
})

test('any text comes out clean, and stays as it is when cleaned again', () => {
  fc.assert(
    fc.property(anyText(120), (text) => {
      const name = cleanName(text)
      expect(cleanName(name)).toBe(name)
      expect(name.length).toBeLessThanOrEqual(maxNameLength)
      expect(name.isWellFormed()).toBe(true)
      expect(name.normalize('NFC')).toBe(name)
      expect(name).not.toMatch(/^\s|\s$|[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u)
    }),
    { numRuns: 1_000 },
  )
})
