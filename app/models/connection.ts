import type { PeerPath, RelayState } from '../../signaling/network.ts'

/** How messages travel right now, in the one word the person sees. */
export type Connection = 'Offline' | 'Reconnecting' | 'Relay' | 'Direct'

/**
 * The decision behind the word. A direct link counts whatever the relays do; without one the person's own relays decide,
 * since they carry the message in both directions.
 */
export const connectionOf = (path: PeerPath, relays: readonly RelayState[], online: boolean): Connection => {
  if (path === 'direct') return 'Direct'
  if (relays.includes('connected')) return 'Relay'
  if (!online) return 'Offline'
  return relays.some((state) => state === 'connecting' || state === 'reconnecting') ? 'Reconnecting' : 'Offline'
}
