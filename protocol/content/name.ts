import { maxNameLength } from '../wire/limits.ts'

/**
 * Control characters, lone surrogates, line and paragraph separators, and everything that can turn the direction of the
 * text around it (Unicode TR9: ALM, LRM, RLM, embeddings, overrides, isolates) or hide at its edge (byte order mark). A name
 * must not be able to rewrite the line it stands in. Joiners stay: Persian and emoji need them.
 */
const unwanted = /[\p{Cs}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/gu
const spaces = /[\p{Cc}\p{Z}]+/gu

/** At most `maxNameLength` UTF-16 code units, never half of a surrogate pair. */
const cut = (name: string): string => {
  let out = ''
  for (const character of name) {
    if (out.length + character.length > maxNameLength) break
    out += character
  }
  return out
}

/**
 * The form in which a display name is sent, stored and shown: without direction controls, every run of white space and
 * control characters a single space, trimmed, in Unicode normalisation form C, at most `maxNameLength` UTF-16 code units.
 * May come out empty. Cleaning a clean name changes nothing.
 */
export const cleanName = (name: string): string =>
  cut(name.replace(unwanted, '').replace(spaces, ' ').normalize('NFC').trim()).trim()
