import { encodeUtf8 } from '../../protocol/wire/bytes.ts'
import { maxTextBytes } from '../../protocol/wire/limits.ts'
import type { Outcome } from './engine-api.ts'
import { refuse } from './problems.ts'

/** A text as it can be sent, or why it can not. */
export const sendableText = (text: string): Outcome<string> => {
  // Lone surrogates cannot be UTF-8; the replacement character is what a browser would show anyway.
  const value = text.toWellFormed()
  if (value === '') return refuse('unknown', 'there is nothing to send')
  if (encodeUtf8(value).length <= maxTextBytes) return { ok: true, value }
  return refuse('too-long', `a message holds at most ${maxTextBytes / 1024} KiB of text; send it in parts`)
}
