/** Beyond either of these a message takes more than a screen of a phone. */
const [mostCharacters, mostLines] = [1_200, 24] as const

/** What stands there while the rest is folded away: a little less, so that unfolding always shows something worth it. */
const [keptCharacters, keptLines] = [1_000, 18] as const

/** The index after the `count`th line, or undefined when there are fewer. */
const endOfLine = (text: string, count: number): number | undefined => {
  let at = -1
  for (let line = 0; line < count; line++) {
    at = text.indexOf('\n', at + 1)
    if (at < 0) return undefined
  }
  return at
}

/** The beginning of a long message, whole words of it; undefined: it is shown whole. */
export const foldedText = (text: string): string | undefined => {
  if (text.length <= mostCharacters && endOfLine(text, mostLines) === undefined) return undefined
  const head = text.slice(0, Math.min(keptCharacters, endOfLine(text, keptLines) ?? keptCharacters))
  const wordEnd = head.search(/\s\S{0,60}$/u)
  const kept = wordEnd > 0 && head.length === keptCharacters ? head.slice(0, wordEnd) : head
  return `${kept.toWellFormed().trimEnd()}…`
}
