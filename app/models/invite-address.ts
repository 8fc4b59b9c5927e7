/** An invite is the part of the address after this; it never leaves the browser in a request. */
const mark = '#i/'

/** base64url, long enough for account, head and secret (96 bytes) and bounded like any address (8 KiB). */
const fragmentShape = /^[A-Za-z0-9_-]{120,8192}$/

/** The link to hand to somebody. */
export const inviteLink = (appUrl: string, fragment: string): string => `${appUrl}${mark}${fragment}`

/** The invite in a link, in an address's fragment or pasted bare; null when there is none. */
export const inviteIn = (text: string): string | null => {
  const trimmed = text.trim()
  const at = trimmed.indexOf(mark)
  const candidate = at < 0 ? trimmed : trimmed.slice(at + mark.length)
  return fragmentShape.test(candidate) ? candidate : null
}

/** True when an address's fragment claims to be an invite, whole or damaged. */
export const claimsInvite = (hash: string): boolean => hash.startsWith(mark)

/** Relay addresses given in an address's fragment (`#relay=<multiaddr>,<multiaddr>`). */
export const relaysIn = (hash: string): string[] =>
  hash.startsWith('#relay=') ? splitAddresses(decodeURIComponent(hash.slice('#relay='.length))) : []

/** Multiaddrs from a text that separates them by commas or white space. */
export const splitAddresses = (text: string): string[] => text.split(/[\s,]+/).filter((part) => part.startsWith('/'))
