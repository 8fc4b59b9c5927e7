import { maxAddressesPerRelay } from '../../protocol/wire/limits.ts'
import { splitAddresses } from './invite-address.ts'

/** Where the page itself was loaded from. */
export interface PageOrigin {
  /** `http:` or `https:` */
  readonly protocol: string
  readonly hostname: string
  /** Empty for the protocol's own port. */
  readonly port: string
}

/** What a relay that serves the app says about itself at `/relay.json`. */
interface RelayDocument {
  readonly addresses?: unknown
  readonly wsPath?: unknown
}

/** 3 s: a host without a relay answers at once, and onboarding should not wait for one that hangs. */
const discoveryDeadlineMs = 3_000

const hostPart = (hostname: string): string => {
  if (/^\d+(?:\.\d+){3}$/.test(hostname)) return `/ip4/${hostname}`
  if (hostname.startsWith('[')) return `/ip6/${hostname.slice(1, -1)}`
  return `/dns/${hostname}`
}

/**
 * The relay's WebSocket as seen from this page: its own host and port. A relay behind a proxy or a port mapping cannot know
 * them, the page does.
 */
export const ownHostAddress = (origin: PageOrigin, addresses: readonly string[]): string | null => {
  const peerId = addresses.map((address) => /\/p2p\/([A-Za-z0-9]+)$/.exec(address)?.[1]).find((id) => id !== undefined)
  const secure = origin.protocol === 'https:'
  const port = origin.port || (secure ? '443' : '80')
  // The relay knows its own machine's address as well, and invites are short when each way is listed once.
  const listed = addresses.some((address) => address.startsWith(`/ip4/127.0.0.1/tcp/${port}/ws`))
  if (peerId === undefined || (origin.hostname === 'localhost' && listed)) return null
  return `${hostPart(origin.hostname)}/tcp/${port}/${secure ? 'tls/ws' : 'ws'}/p2p/${peerId}`
}

/** A host, with or without a port, and with or without `https://` before it. */
const webAddress = /^(?:(https?):\/\/)?([a-z0-9.-]+\.[a-z0-9-]+|localhost|\[[0-9a-f:]+\])(?::(\d{1,5}))?\/?$/i

/**
 * Where the relay is that a person means: multiaddrs, as its operator sees them, or the address of the page that it serves.
 * Empty when it is neither.
 */
export const relayAddressesIn = (text: string): string[] => {
  const multiaddrs = splitAddresses(text)
  if (multiaddrs.length > 0) return multiaddrs.slice(0, maxAddressesPerRelay)
  const [, protocol, hostname, port] = webAddress.exec(text.trim()) ?? []
  if (hostname === undefined) return []
  const secure = protocol?.toLowerCase() !== 'http'
  return [`${hostPart(hostname.toLowerCase())}/tcp/${port ?? (secure ? '443' : '80')}/${secure ? 'tls/ws' : 'ws'}`]
}

/** Addresses of the relay that serves this page, most preferred first; empty when it is served by anything else. */
export const discoverRelay = async (fetchDocument: typeof fetch, origin: PageOrigin): Promise<readonly string[]> => {
  try {
    const response = await fetchDocument('/relay.json', {
      signal: AbortSignal.timeout(discoveryDeadlineMs),
      cache: 'no-store',
    })
    if (!response.ok) return []
    const document = (await response.json()) as RelayDocument
    if (!Array.isArray(document.addresses)) return []
    const listed = document.addresses.filter((address): address is string => typeof address === 'string')
    const own = document.wsPath === '/' ? ownHostAddress(origin, listed) : null
    const all = own === null ? listed : [own, ...listed.filter((address) => address !== own)]
    return all.slice(0, maxAddressesPerRelay)
  } catch {
    // No such document, or the single-page fallback of a static host: there is no relay here.
    return []
  }
}
