export interface FoundLink {
  /** http or https, as the browser understands it. */
  readonly href: string
  /** As it was written, unless that could be taken for another place: then `href`. */
  readonly text: string
  /** Characters of the line it takes. */
  readonly length: number
}

/**
 * Ends at white space, at what never stands in an address, and at what is invisible or turns text round: controls,
 * zero-width and bidirectional characters. 2,048 characters: what every browser takes.
 */
const address = /(?:https?:\/\/|www\.)[^\s<>"`\p{Cc}\p{Cf}]{1,2048}/iuy

/** Belongs to the sentence, not to the address, when it comes last. */
const trailing = new Set(".,!?:;'*_~…")

const brackets: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' }

const countOf = (text: string, character: string): number => text.split(character).length - 1

/** Without the punctuation of the sentence, and without a closing bracket that was opened before the address. */
const trimmed = (found: string): string => {
  const surplus = new Map(
    Object.entries(brackets).map(([closing, opening]) => [closing, countOf(found, closing) - countOf(found, opening)]),
  )
  let { length } = found
  for (; length > 0; length--) {
    const last = found.charAt(length - 1)
    const extra = surplus.get(last) ?? 0
    if (extra > 0) surplus.set(last, extra - 1)
    else if (!trailing.has(last)) break
  }
  return found.slice(0, length)
}

/** What stands where a host stands. */
const hostIn = (text: string): string => /^(?:https?:\/\/)?([^/?#:\\]*)/iu.exec(text)?.[1]?.toLowerCase() ?? ''

/**
 * The link that begins at this place of a line. Only http and https are links; one with a user name (`https://bank@elsewhere`) is
 * none, and one whose host is not written in plain ASCII is shown as the browser will resolve it (`xn--…`), so that letters
 * that look alike deceive nobody.
 */
export const linkAt = (line: string, at: number): FoundLink | undefined => {
  address.lastIndex = at
  const text = trimmed(address.exec(line)?.[0] ?? '')
  const url = URL.parse(/^www\./iu.test(text) ? `https://${text}` : text)
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined
  if (url.username !== '' || url.password !== '' || !url.hostname.includes('.')) return undefined
  const isPlain = hostIn(text) === url.hostname && !/^xn--|\.xn--/u.test(url.hostname)
  return { href: url.href, text: isPlain ? text : url.href, length: text.length }
}
