import type { Multiaddr } from '@multiformats/multiaddr'

/** The IP address or name in a relay's multiaddr, IPv6 in brackets as URIs want it; undefined when it has none. */
export const hostOf = (address: Multiaddr): string | undefined => {
  for (const { name, value } of address.getComponents()) {
    if (value === undefined) continue
    if (name === 'ip6') return `[${value}]`
    if (name === 'ip4' || name === 'dns' || name === 'dns4' || name === 'dns6') return value
  }
  return undefined
}

/**
 * The STUN servers (RFC 8489) of the relays connected now, and nobody else's: libp2p's defaults would tell strangers who
 * calls whom and when.
 */
export class StunServers {
  readonly #urls = new Map<string, string>()

  /** `connectionId` names the entry; `stunPort` 0: that relay answers none. */
  add(connectionId: string, relay: Multiaddr, stunPort: number): void {
    const host = hostOf(relay)
    if (host !== undefined && stunPort !== 0) this.#urls.set(connectionId, `stun:${host}:${stunPort}`)
  }

  remove(connectionId: string): void {
    this.#urls.delete(connectionId)
  }

  /** For every dial anew. An empty list is said explicitly, since an absent one means libp2p's defaults. */
  rtcConfiguration(): RTCConfiguration {
    const urls = [...new Set(this.#urls.values())]
    return { iceServers: urls.length === 0 ? [] : [{ urls }] }
  }
}
