import { maxAddressesPerRelay } from '../protocol/wire/limits.ts'

const isLoopback = (address: string): boolean => /^\/ip(?:4\/127\.|6\/::1\/)/.test(address)
const isWebRtc = (address: string): boolean => address.includes('/webrtc-direct/')

/**
 * The addresses a relay tells people, at most `maxAddressesPerRelay`: what the operator announced, then its own machine (for
 * apps served from there), then the network's. A machine with many virtual interfaces has more than anybody can use.
 */
export const addressesToTell = (all: readonly string[], announced: readonly string[]): string[] => {
  const rank = (address: string): number => {
    if (announced.some((prefix) => address.startsWith(prefix))) return 0
    return isLoopback(address) ? 1 : 2
  }
  // One transport after the other would push webrtc-direct out; pairs of both keep each interface reachable either way.
  const ranked = [0, 1, 2].flatMap((wanted) => {
    const found = all.filter((address) => rank(address) === wanted)
    const sockets = found.filter((address) => !isWebRtc(address))
    const direct = found.filter(isWebRtc)
    return Array.from({ length: Math.max(sockets.length, direct.length) }, (_, i) => [sockets[i], direct[i]]).flat()
  })
  return ranked.filter((address) => address !== undefined).slice(0, maxAddressesPerRelay)
}

/** What a person who starts a relay at a terminal wants to read. `qr`: the app's URL as terminal art; null without an app. */
export const startText = (start: {
  appUrl: string | null
  addresses: readonly string[]
  qr: string | null
}): string => {
  const elsewhere = start.addresses.filter((address) => !isLoopback(address))
  const direct = elsewhere.filter(isWebRtc)
  const lines = ['']
  if (start.appUrl !== null) lines.push(`  Sotto is at  ${start.appUrl}`, '')
  if (start.qr !== null) lines.push(start.qr)
  lines.push('  Addresses of this relay:', ...start.addresses.map((address) => `    ${address}`), '')
  if (direct.length > 0) {
    lines.push(
      '  Browsers elsewhere can use those with /webrtc-direct/ as they are, without domain or certificate, as far as this',
      '  machine can be reached (forward its UDP ports on a router). Those with /ws work from pages on this machine, or with',
      '  a TLS proxy in front, announced with --announce.',
    )
  }
  lines.push(
    '  The app itself needs https or localhost: on a plain http address browsers offer neither keys nor storage locks.',
    '  People elsewhere open it from any https host and add this relay by its address.',
    '',
  )
  return lines.join('\n')
}
